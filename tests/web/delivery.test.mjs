// The app gets every message of a room once and in order, or is told what is missing.
import test from 'node:test';
import assert from 'node:assert/strict';
import { client, inLobby, reconnect } from './fake.mjs';

test('messages come in order, each once', () => {
  const t = inLobby(10);
  for (const seq of [11, 12, 12, 11, 13]) t.socket.message('lobby', seq);
  assert.deepEqual(t.got, [11, 12, 13]);
  assert.equal(t.lobby.seq, 13);
});

test('after a lost link the room goes on behind what the app has', () => {
  const t = inLobby(10);
  t.socket.message('lobby', 11);
  reconnect(t);
  assert.equal(t.socket.last('join').since, 11);
  t.socket.joined('lobby', 14);
  for (const seq of [12, 13, 14, 15]) t.socket.message('lobby', seq);
  assert.deepEqual(t.got, [11, 12, 13, 14, 15]);
  assert.deepEqual(t.gaps, []);
});

test('an app that knows where it was begins there', () => {
  const t = client();
  t.parley.join('lobby', { since: 7 });
  t.socket.welcome();
  assert.equal(t.socket.last('join').since, 7);
});

test('a hole is asked for anew and closed, unseen by the app', () => {
  const t = inLobby(10);
  t.socket.message('lobby', 11);
  t.socket.message('lobby', 14);
  assert.deepEqual(t.socket.sent.slice(-2).map((m) => m.op), ['leave', 'join']);
  assert.equal(t.socket.last('join').since, 11);
  t.socket.message('lobby', 15); // still of the old membership
  t.socket.joined('lobby', 15);
  for (const seq of [12, 13, 14, 15]) t.socket.message('lobby', seq);
  assert.deepEqual(t.got, [11, 12, 13, 14, 15]);
  assert.deepEqual(t.gaps, []);
});

test('a hole that cannot be closed is told, once, where it is', () => {
  const t = inLobby(10);
  for (let i = 0; i < 3; i++) {
    t.socket.message('lobby', 13);
    assert.deepEqual(t.gaps, []);
    t.socket.joined('lobby', 13);
  }
  t.socket.message('lobby', 14);
  assert.deepEqual(t.gaps, [{ after: 10, next: 14 }]);
  assert.deepEqual(t.got, [14]);
  t.socket.message('lobby', 17); // another one later is asked for again
  assert.equal(t.socket.last('join').since, 14);
});

test('history that was trimmed below the resume point is told', () => {
  const t = inLobby(10);
  reconnect(t);
  t.socket.joined('lobby', 50, { first: 41 });
  t.socket.message('lobby', 41);
  assert.deepEqual(t.gaps, [{ after: 10, next: 41 }]);
  assert.deepEqual(t.got, [41]);
});

test('a room that is now behind what the app has is told as another one', () => {
  const t = inLobby(10);
  let reset;
  t.lobby.on('reset', (r) => (reset = r));
  reconnect(t);
  t.socket.joined('lobby', 2);
  t.socket.message('lobby', 3);
  assert.deepEqual(reset, { seq: 10, head: 2 });
  assert.deepEqual(t.got, [3]);
});

test('what is wrong in an app does not stop the stream', (c) => {
  const t = inLobby(10);
  c.mock.method(console, 'error', () => {});
  t.lobby.on('message', () => { throw new Error('of the app'); });
  t.socket.message('lobby', 11);
  t.socket.message('lobby', 12);
  assert.deepEqual(t.got, [11, 12]);
});

test('a room that may not be joined is told and not asked for again', () => {
  const t = client();
  const secret = t.parley.join('secret');
  let why;
  secret.on('refused', (error) => (why = error.code));
  t.socket.welcome();
  t.socket.refuse(t.socket.last('join'), 'forbidden');
  assert.equal(why, 'forbidden');
  assert.equal(secret.send('x').state, 'failed');
  reconnect(t);
  assert.equal(t.socket.all('join').length, 0);
});

test('a room that is not to be had for now is asked for again', () => {
  const t = client();
  t.parley.join('lobby');
  t.socket.welcome();
  t.socket.refuse(t.socket.last('join'), 'unavailable');
  assert.equal(t.socket.all('join').length, 1);
  t.clock.pass(5000);
  assert.equal(t.socket.all('join').length, 2);
  t.socket.joined('lobby', 3);
  assert.equal(t.parley.rooms.get('lobby').state, 'joined');
});

test('after leaving nothing of the room is delivered or asked for', () => {
  const t = inLobby(10);
  t.lobby.leave();
  t.socket.message('lobby', 11);
  reconnect(t);
  assert.deepEqual(t.got, []);
  assert.equal(t.socket.all('join').length, 0);
  assert.equal(t.lobby.send('x').state, 'failed');
});

test('history and members are answered to who asked', async () => {
  const t = inLobby(10);
  const history = t.lobby.history({ before: 11, limit: 2 });
  const asked = t.socket.last('history');
  assert.deepEqual({ before: asked.before, limit: asked.limit }, { before: 11, limit: 2 });
  t.socket.answer(asked, { op: 'history', room: 'lobby', messages: [{ seq: 9 }, { seq: 10 }], more: true });
  assert.deepEqual((await history).messages.map((m) => m.seq), [9, 10]);
  const who = t.lobby.who();
  t.socket.refuse(t.socket.last('who'), 'unavailable');
  await assert.rejects(who, { code: 'unavailable' });
  const lost = t.lobby.history();
  t.socket.end();
  await assert.rejects(lost, { code: 'offline' });
  await assert.rejects(t.lobby.who(), { code: 'offline' });
});

test('history is asked for one page at a time, in the order of the calls', async () => {
  const t = inLobby(10);
  const pages = [1, 2, 3].map((limit) => t.lobby.history({ limit }));
  assert.equal(t.socket.all('history').length, 1);
  t.socket.refuse(t.socket.last('history'), 'unavailable');
  await assert.rejects(pages[0], { code: 'unavailable' });
  for (const limit of [2, 3]) {
    await new Promise(setImmediate);
    assert.equal(t.socket.last('history').limit, limit);
    t.socket.answer(t.socket.last('history'), { op: 'history', room: 'lobby', messages: [] });
    await pages[limit - 1];
  }
  const lost = [t.lobby.history(), t.lobby.history()];
  t.socket.end();
  for (const page of lost) await assert.rejects(page, { code: 'offline' });
});

test('typing is told at most every two seconds, and never waits', () => {
  const t = inLobby(10);
  for (let i = 0; i < 5; i++) t.lobby.typing();
  assert.equal(t.socket.all('typing').length, 1);
  t.clock.pass(2000);
  t.lobby.typing();
  assert.equal(t.socket.all('typing').length, 2);
  t.lobby.typing(false);
  t.lobby.typing(false);
  assert.deepEqual(t.socket.all('typing').map((m) => m.active), [true, true, false]);
  t.lobby.typing();
  t.socket.end();
  t.lobby.typing();
});
