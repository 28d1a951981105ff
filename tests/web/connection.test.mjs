// The client stays connected, waits politely, and says honestly how it stands.
import test from 'node:test';
import assert from 'node:assert/strict';
import { client, inLobby } from './fake.mjs';

const names = (t) => t.states.map((s) => s.state);

test('name and protocol are in the handshake, a token in the protocols', async () => {
  const t = client({ user: 'ann & bob' });
  assert.equal(t.socket.url, 'ws://gateway/chat?user=ann+%26+bob');
  assert.deepEqual(t.socket.protocols, ['parley.v1']);
  const u = client({ user: undefined, token: async () => 'aa.bb.cc' });
  assert.equal(u.parley.state, 'connecting');
  await new Promise(setImmediate);
  assert.equal(u.socket.url, 'ws://gateway/chat');
  assert.deepEqual(u.socket.protocols, ['parley.v1', 'bearer.aa.bb.cc']);
});

test('who comes again says which session it had, and the first time none', () => {
  const t = client();
  assert.equal(t.socket.url, 'ws://gateway/chat?user=ann');
  for (let i = 0; i < 2; i++) {
    t.socket.welcome();
    t.socket.end();
    t.clock.pass(t.states.at(-1).retryInMs);
    assert.equal(t.socket.url, 'ws://gateway/chat?user=ann&was=s');
  }
});

test('a token that cannot be had is a failed try', async () => {
  const t = client({ token: async () => { throw new Error('no'); } });
  await new Promise(setImmediate);
  assert.equal(t.parley.state, 'offline');
  assert.equal(t.states.at(-1).why, 'token');
});

test('the state is told at each change', () => {
  const t = client();
  assert.equal(t.parley.state, 'connecting');
  t.socket.welcome();
  t.socket.end();
  t.clock.pass(t.states.at(-1).retryInMs);
  assert.deepEqual(names(t), ['online', 'offline', 'connecting']);
  assert.equal(t.sockets.length, 2);
});

test('waiting doubles up to a bound, with full jitter', () => {
  const waits = (random) => {
    const t = client({ random: () => random, baseMs: 500, maxMs: 4000 });
    for (let i = 0; i < 6; i++) {
      t.socket.end();
      t.clock.pass(t.states.at(-1).retryInMs);
    }
    return t.states.filter((s) => s.state === 'offline').map((s) => s.retryInMs);
  };
  assert.deepEqual(waits(0.5), [250, 500, 1000, 2000, 2000, 2000]);
  assert.deepEqual(waits(0), [0, 0, 0, 0, 0, 0]);
});

test('a link that does not hold does not shorten the waiting; one that does, does', () => {
  const t = client();
  const lose = () => {
    t.socket.welcome();
    t.socket.end();
    t.clock.pass(t.states.at(-1).retryInMs);
    return t.states.filter((s) => s.state === 'offline').at(-1).retryInMs;
  };
  assert.deepEqual([lose(), lose(), lose()], [250, 500, 1000]);
  t.socket.welcome();
  t.clock.pass(10000);
  t.socket.end();
  assert.equal(t.states.at(-1).retryInMs, 250);
});

test('a leaving gateway is told as draining, and its word on when to come back is kept', () => {
  const t = inLobby();
  t.socket.say({ op: 'drain', reconnect_after_ms: 1500 });
  assert.equal(t.parley.state, 'draining');
  t.socket.message('lobby', 11); // everything goes on
  assert.deepEqual(t.got, [11]);
  assert.equal(t.lobby.send('x').state, 'sending');
  t.socket.end(1001);
  assert.deepEqual(t.states.at(-1), { state: 'offline', why: 'drain', retryInMs: 1500 });
  t.clock.pass(1499);
  assert.equal(t.sockets.length, 1);
  t.clock.pass(1);
  assert.equal(t.sockets.length, 2);
});

test('a silent link is asked for a sign of life and then given up in the announced time', () => {
  const t = client();
  t.socket.welcome();
  t.clock.pass(24999);
  assert.equal(t.socket.all('ping').length, 0);
  t.clock.pass(1);
  assert.equal(t.socket.all('ping').length, 1);
  t.clock.pass(20000);
  assert.equal(t.parley.state, 'offline');
  assert.equal(t.states.at(-1).why, 'silent');
  assert.ok(t.sockets[0].closedWith);
});

test('a sign of life keeps the link', () => {
  const t = client();
  t.socket.welcome();
  for (let i = 0; i < 10; i++) {
    t.clock.pass(25000);
    t.socket.say({ op: 'pong' });
  }
  assert.deepEqual(names(t), ['online']);
});

test('late timers of a hidden page do not take a good link for dead', () => {
  const t = client();
  t.socket.welcome();
  const { run } = [...t.clock.timers.values()].find((timer) => timer.at === 26000);
  t.clock.time += 120000;
  run();
  assert.equal(t.parley.state, 'online');
  assert.equal(t.socket.all('ping').length, 1);
});

test('a given up link that still speaks is not heard', () => {
  const t = inLobby();
  const old = t.socket;
  t.clock.pass(45000);
  assert.equal(t.parley.state, 'offline');
  old.message('lobby', 11);
  old.end(1006);
  assert.deepEqual(t.got, []);
  assert.equal(names(t).filter((s) => s === 'offline').length, 1);
});

test('a try that comes to nothing is given up in time', () => {
  const t = client();
  t.clock.pass(10000);
  assert.equal(t.parley.state, 'offline');
  assert.equal(t.states.at(-1).why, 'timeout');
});

test('retry does not wait', () => {
  const t = client();
  t.socket.end();
  assert.equal(t.states.at(-1).why, 'unreachable');
  t.parley.retry();
  assert.equal(t.parley.state, 'connecting');
  assert.equal(t.sockets.length, 2);
  t.clock.pass(5000);
  assert.equal(t.sockets.length, 2);
});

test('a refusal for good is final, a slow reader comes back', () => {
  const t = client();
  t.socket.welcome();
  t.socket.end(4000);
  assert.deepEqual([t.parley.state, t.states.at(-1).why], ['offline', 'slow']);
  const v = client();
  v.socket.welcome();
  v.socket.end(4001);
  assert.deepEqual([v.parley.state, v.states.at(-1).why], ['offline', 'token']);
  const u = client();
  u.socket.welcome();
  u.socket.end(1002);
  assert.deepEqual([u.parley.state, u.states.at(-1).why], ['closed', 'refused']);
  u.clock.pass(100000);
  assert.equal(u.sockets.length, 1);
});

test('a closed client leaves nothing behind', () => {
  const t = inLobby();
  t.parley.close();
  t.clock.pass(100000);
  assert.equal(t.sockets.length, 1);
  assert.equal(t.clock.timers.size, 0);
  assert.equal(t.socket.closedWith, 1000);
});

test('an error that answers nothing of ours is told', () => {
  const t = client();
  let error;
  t.parley.on('error', (e) => (error = e.code));
  t.socket.welcome();
  t.socket.say({ op: 'error', code: 'bad_json', message: 'no' });
  assert.equal(error, 'bad_json');
});
