// Whatever happens to links: every app gets one and the same sequence, every send is kept once.
//
// A gateway of a few lines with a store, and clients whose links are cut, drained, starved
// and made to lose messages at random. A failing seed is in the name of the failure.
import test from 'node:test';
import assert from 'node:assert/strict';
import { connect } from '../../gateway/web/parley.js';
import { FakeClock } from './fake.mjs';

const SEEDS = Number(process.env.SEEDS ?? 300);
const USERS = ['ann', 'bob', 'cleo'];
const STEPS = 400;

function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class World {
  constructor(seed) {
    this.random = generator(seed);
    this.clock = new FakeClock();
    this.store = [];
    this.sockets = new Set();
    this.trouble = true; /* links are lost, sends refused */
    const world = this;
    this.WebSocket = class {
      constructor(url) {
        Object.assign(this, { user: new URL(url).searchParams.get('user'), toServer: [], toClient: [], inRoom: false });
        world.sockets.add(this);
        this.push({ op: 'welcome', session: 's', user: this.user, limits: { message: 65536, rooms: 64 },
          heartbeat: { interval_ms: 25000, timeout_ms: 20000 } });
      }
      push(message) { this.toClient.push(JSON.stringify(message)); }
      send(text) { this.toServer.push(JSON.parse(text)); }
      close() { world.sockets.delete(this); }
    };
  }

  chance(p) { return this.trouble && this.random() < p; }
  pick(list) { return list[Math.floor(this.random() * list.length)]; }

  /* ---- the gateway ---- */

  message(m) { return { op: 'message', room: 'r', ...m }; }

  serve(socket, { op, ref, id, body, since }) {
    if (op === 'join') {
      socket.push({ op: 'joined', ref, room: 'r', head: this.store.length, members: 1 });
      socket.inRoom = true;
      for (const m of this.store.slice(since ?? this.store.length)) this.say(socket, m);
    } else if (op === 'leave') {
      socket.inRoom = false;
      socket.push({ op: 'left', ref, room: 'r' });
    } else if (op === 'send') {
      this.keep(socket, ref, id, body);
    } else if (op === 'ping') {
      socket.push({ op: 'pong', ref });
    }
  }

  keep(socket, ref, id, body) {
    if (!socket.inRoom) return socket.push({ op: 'error', ref, code: 'not_member', message: '' });
    if (this.chance(0.03)) return socket.push({ op: 'error', ref, code: 'busy', message: '' });
    let kept = this.store.find((m) => m.id === id && m.from === socket.user);
    if (!kept) {
      kept = { seq: this.store.length + 1, id, from: socket.user, at: 0, body };
      this.store.push(kept);
      for (const other of this.sockets) if (other.inRoom) this.say(other, kept);
    }
    socket.push({ op: 'sent', ref, room: 'r', id, seq: kept.seq, at: 0 });
  }

  say(socket, m) {
    if (this.chance(0.01)) socket.push(this.message(m)); /* doubled */
    if (!this.chance(0.01)) socket.push(this.message(m)); /* else lost: a hole */
  }

  /* ---- what happens ---- */

  cut(socket) {
    this.sockets.delete(socket);
    socket.onclose({ code: 1006 });
  }

  drain(socket) {
    socket.push({ op: 'drain', reconnect_after_ms: 100 });
  }

  step() {
    const socket = this.pick([...this.sockets]);
    if (!socket) return this.clock.pass(100);
    if (this.chance(0.02)) return this.cut(socket);
    if (this.chance(0.005)) return this.drain(socket);
    if (this.random() < 0.1) return this.clock.pass(this.random() * 500);
    const [queue, take] = this.random() < 0.5
      ? [socket.toServer, (m) => this.serve(socket, m)]
      : [socket.toClient, (m) => socket.onmessage({ data: m })];
    if (queue.length) take(queue.shift());
  }

  /* No more trouble: all that waits gets through. */
  settle(done) {
    this.trouble = false;
    for (let i = 0; i < 20000 && !done(); i++) this.step();
  }
}

function live(seed) {
  const world = new World(seed);
  const people = USERS.map((user) => {
    const parley = connect('ws://gateway/chat', { user, WebSocket: world.WebSocket, clock: world.clock, random: world.random, window: 4 });
    const room = parley.join('r', { since: 0 });
    const heard = [], told = [], sends = [];
    room.on('message', (m) => heard.push(m.seq));
    room.on('gap', (gap) => told.push(gap));
    room.on('reset', (reset) => told.push(reset));
    return { parley, room, heard, told, sends };
  });
  for (let i = 0; i < STEPS; i++) {
    if (world.random() < 0.1) {
      const one = world.pick(people);
      one.sends.push(one.room.send(one.sends.length));
    }
    world.step();
  }
  const sent = people.reduce((n, { sends }) => n + sends.length, 0);
  world.settle(() => people.every(({ heard, parley }) => heard.length >= sent && parley.unsent === 0));
  /* What was lost last is noticed by what comes next. */
  people[0].sends.push(people[0].room.send('last'));
  world.settle(() => people.every(({ heard, parley }) => heard.length > sent && parley.unsent === 0));
  return { world, people, sent: sent + 1 };
}

test('over many random lives', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { world, people, sent } = live(seed);
    const all = Array.from({ length: sent }, (_, i) => i + 1);
    assert.equal(world.store.length, sent, `seed ${seed}: each send is kept once`);
    for (const { heard, told, sends } of people) {
      assert.deepEqual(told, [], `seed ${seed}: nothing is called missing`);
      assert.deepEqual(heard, all, `seed ${seed}: all is heard, once, in order`);
      for (const send of sends) {
        assert.equal(send.state, 'sent', `seed ${seed}`);
        assert.equal(world.store[send.seq - 1].id, send.id, `seed ${seed}: its place is the one told`);
      }
    }
  }
});
