// fake - a clock and a WebSocket in the test's hands, and the gateway's side of it.
import { connect } from '../../gateway/web/parley.js';

export class FakeClock {
  time = 1000;
  timers = new Map();
  last = 0;
  now = () => this.time;
  setTimeout = (run, ms) => {
    this.timers.set(++this.last, { run, at: this.time + Math.max(0, ms) });
    return this.last;
  };
  clearTimeout = (timer) => this.timers.delete(timer);

  /* Lets time pass; timers run in the order of their times. */
  pass(ms) {
    const until = this.time + ms;
    for (;;) {
      const [id, timer] = [...this.timers].filter(([, t]) => t.at <= until)
        .sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0] ?? [];
      if (!id) break;
      this.timers.delete(id);
      this.time = Math.max(this.time, timer.at);
      timer.run();
    }
    this.time = until;
  }
}

/* A client and the sockets that it has made; `socket` is the newest. */
export function client(options = {}) {
  const clock = new FakeClock();
  const sockets = [];
  class FakeWebSocket {
    sent = [];
    constructor(url, protocols) {
      Object.assign(this, { url, protocols });
      sockets.push(this);
    }
    send(text) { this.sent.push(JSON.parse(text)); }
    close(code) { this.closedWith = code; }
    /* What the gateway does. */
    say(message) { this.onmessage({ data: JSON.stringify(message) }); }
    end(code = 1006) { this.onclose({ code }); }
    welcome(user = 'ann') {
      this.say({ op: 'welcome', session: 's', user, limits: { message: 1000, rooms: 64 },
        heartbeat: { interval_ms: 25000, timeout_ms: 20000 } });
    }
    last(op) { return this.sent.filter((m) => m.op === op).at(-1); }
    all(op) { return this.sent.filter((m) => m.op === op); }
    answer(request, answer) { this.say({ ...answer, ref: request.ref }); }
    joined(room, head, more) {
      const join = this.sent.filter((m) => m.op === 'join' && m.room === room).at(-1);
      this.answer(join, { op: 'joined', room, head, members: 1, ...more });
    }
    message(room, seq, more) {
      this.say({ op: 'message', room, seq, id: `o${seq}`, from: 'bob', at: seq, body: seq, ...more });
    }
    confirm(send, seq) {
      this.answer(send, { op: 'sent', room: send.room, id: send.id, seq, at: seq });
    }
    refuse(request, code, more) {
      this.answer(request, { op: 'error', code, message: code, ...more });
    }
  }
  const parley = connect('ws://gateway/chat', { user: 'ann', WebSocket: FakeWebSocket, clock,
    random: () => 0.5, ...options });
  const states = [];
  parley.on('state', (s) => states.push(s));
  return { parley, clock, sockets, states, get socket() { return sockets.at(-1); } };
}

/* A client that is in `lobby`, whose newest message is `head`. */
export function inLobby(head = 10, options = {}) {
  const t = client(options);
  t.got = [];
  t.gaps = [];
  t.lobby = t.parley.join('lobby');
  t.lobby.on('message', (m) => t.got.push(m.seq));
  t.lobby.on('gap', (gap) => t.gaps.push(gap));
  t.socket.welcome();
  t.socket.joined('lobby', head);
  return t;
}

/* The link is lost and the next one welcomed. */
export function reconnect(t) {
  t.socket.end();
  t.clock.pass(t.states.at(-1).retryInMs);
  t.socket.welcome();
}
