// A send is confirmed once, whatever happens to the link meanwhile.
import test from 'node:test';
import assert from 'node:assert/strict';
import { client, inLobby, reconnect } from './fake.mjs';

test('a send has an id of its own and is done when the gateway says so', async () => {
  const t = inLobby(10);
  const send = t.lobby.send({ text: 'hi' });
  const asked = t.socket.last('send');
  assert.equal(asked.id, send.id);
  assert.deepEqual(asked.body, { text: 'hi' });
  assert.equal(send.state, 'sending');
  assert.equal(t.parley.unsent, 1);
  t.socket.confirm(asked, 11);
  assert.equal((await send.done).seq, 11);
  assert.equal(send.state, 'sent');
  assert.equal(t.parley.unsent, 0);
});

test('what was under way or waited goes out again after a lost link, in order, with the same ids', () => {
  const t = inLobby(10);
  const sends = ['a', 'b'].map((text) => t.lobby.send(text));
  t.socket.end();
  sends.push(t.lobby.send('c'));
  assert.deepEqual(sends.map((s) => s.state), ['waiting', 'waiting', 'waiting']);
  t.clock.pass(t.states.at(-1).retryInMs);
  t.socket.welcome();
  assert.equal(t.socket.all('send').length, 0); // not before the room is joined
  t.socket.joined('lobby', 11);
  assert.deepEqual(t.socket.all('send').map((m) => m.id), sends.map((s) => s.id));
});

test('a send before the first welcome waits for the room', () => {
  const t = client();
  const send = t.parley.join('lobby').send('early');
  assert.equal(send.state, 'waiting');
  t.socket.welcome();
  t.socket.joined('lobby', 0);
  assert.equal(t.socket.last('send').id, send.id);
});

test('our own message coming back is a confirmation too; another user\'s with this id is not', () => {
  const t = inLobby(10);
  const send = t.lobby.send('x');
  t.socket.message('lobby', 11, { id: send.id, from: 'bob' });
  assert.equal(send.state, 'sending');
  t.socket.message('lobby', 12, { id: send.id, from: 'ann' });
  assert.equal(send.state, 'sent');
  assert.equal(send.seq, 12);
  t.socket.confirm(t.socket.last('send'), 12);
  assert.equal(send.state, 'sent');
});

test('one that the gateway cannot take for now goes out again, those behind it wait', () => {
  const t = inLobby(10);
  const first = t.lobby.send('a');
  t.socket.refuse(t.socket.last('send'), 'busy');
  const second = t.lobby.send('b');
  assert.deepEqual([first.state, second.state], ['waiting', 'waiting']);
  t.clock.pass(5000);
  assert.deepEqual(t.socket.all('send').map((m) => m.body), ['a', 'a', 'b']);
});

test('the gateway\'s own word on when to send again is kept', () => {
  const t = inLobby(10);
  t.lobby.send('a');
  t.socket.refuse(t.socket.last('send'), 'rate_limited', { retry_after_ms: 7000 });
  t.clock.pass(6999);
  assert.equal(t.socket.all('send').length, 1);
  t.clock.pass(1);
  assert.equal(t.socket.all('send').length, 2);
});

test('one that can never be taken fails with the reason and is not repeated', async () => {
  const t = inLobby(10);
  const send = t.lobby.send('x');
  t.socket.refuse(t.socket.last('send'), 'bad_field');
  await assert.rejects(send.done, { code: 'bad_field' });
  assert.equal(send.state, 'failed');
  reconnect(t);
  t.socket.joined('lobby', 10);
  assert.equal(t.socket.all('send').length, 0);
});

test('one that is too long never goes out: it would end the link each time', () => {
  const t = inLobby(10);
  const send = t.lobby.send('ä'.repeat(600));
  assert.equal(send.state, 'failed');
  assert.equal(send.error.code, 'too_long');
  assert.equal(t.socket.all('send').length, 0);
});

test('not a member any more: joins, then sends again', () => {
  const t = inLobby(10);
  t.lobby.send('x');
  t.socket.refuse(t.socket.last('send'), 'not_member');
  assert.equal(t.socket.all('join').length, 2);
  t.socket.joined('lobby', 10);
  assert.equal(t.socket.all('send').length, 2);
});

test('the queue is bounded', () => {
  const t = inLobby(10, { queue: 3 });
  t.socket.end();
  const sends = [1, 2, 3, 4].map((n) => t.lobby.send(n));
  assert.deepEqual(sends.map((s) => s.state), ['waiting', 'waiting', 'waiting', 'failed']);
  assert.equal(sends[3].error.code, 'queue_full');
});

test('few are under way at once, the next follow confirmations', () => {
  const t = inLobby(10, { window: 2 });
  for (const body of ['a', 'b', 'c']) t.lobby.send(body);
  assert.equal(t.socket.all('send').length, 2);
  t.socket.confirm(t.socket.all('send')[0], 11);
  assert.equal(t.socket.all('send').length, 3);
});

test('each change of a send is told', () => {
  const t = inLobby(10);
  const seen = [];
  t.lobby.on('send', (send) => seen.push(send.state));
  t.lobby.send('x');
  t.socket.confirm(t.socket.last('send'), 11);
  assert.deepEqual(seen, ['waiting', 'sending', 'sent']);
});

test('closing for good fails what is unsent', async () => {
  const t = inLobby(10);
  const send = t.lobby.send('x');
  t.parley.close();
  await assert.rejects(send.done, { code: 'closed' });
  assert.equal(t.parley.state, 'closed');
  assert.equal(t.clock.timers.size, 0);
});

test('what the gateway could not read, and not even answer, never goes out', () => {
  const t = inLobby(10);
  t.lobby.send({ text: 'half \ud83d of a pair, whole \u{1f600}' });
  assert.equal(t.socket.last('send').body.text, 'half \ufffd of a pair, whole \u{1f600}');
  const circle = {};
  circle.self = circle;
  for (const body of [undefined, () => 1, 10n, circle, { 'a\0b': 1 }, [{ '\ud800': 1 }]]) {
    const send = t.lobby.send(body);
    assert.deepEqual([send.state, send.error.code], ['failed', 'bad_json']);
  }
  assert.equal(t.socket.all('send').length, 1);
});
