/*
 * parley.js - a client for the protocol parley.v1 (gateway/PROTOCOL.md) that stays
 * connected. One ES module without dependencies, for browsers and Node 18 and up.
 *
 *   import { connect } from './parley.js';
 *   const parley = connect('wss://chat.example/chat', { user: 'ann' });
 *   const lobby = parley.join('lobby');
 *   lobby.on('message', (m) => console.log(m.seq, m.from, m.body));
 *   lobby.send({ text: 'hello' }).done.then((sent) => console.log('is number', sent.seq));
 *
 * What it promises
 *   - The app gets every message of a room once and in order, also across lost links,
 *     restarts and other workers: each join says what is known already (`since`). What
 *     the gateway no longer has is told by `gap`, never left out in silence.
 *   - A send has an id of its own and goes out again after each lost link until the
 *     gateway has confirmed it; the gateway knows the id and keeps it once. Sends to one
 *     room get their places in the order of the calls; only one that the gateway could
 *     not take for now (`busy`, `rate_limited`, `unavailable`) may be overtaken by those
 *     that were under way with it.
 *   - Waiting before each new try is random, up to a bound that doubles and is small
 *     again only after the link was good for a while; a leaving gateway's word on when to
 *     come back is kept.
 *   - Nothing grows without bound: at most `queue` sends wait, the next one fails.
 *
 * connect(url, options) -> client. url: ws:, wss:, http:, https:, or relative to the page.
 *   user       name, in a gateway that believes names (PARLEY_AUTH=open)
 *   token      token, or a function that returns one or a promise of it, before each try
 *   queue      most sends that wait or are under way, all rooms together (1000)
 *   window     most sends under way at once, a room (32)
 *   baseMs, maxMs   first and last bound of the wait before a new try (500, 30000)
 *   goodMs     how long a link must hold until that bound is small again (10000)
 *   connectMs  how long a try may take (10000)
 *   WebSocket  the class, where there is none (Node: `ws`, or its own from 22 on)
 *   clock, random   for tests: { now, setTimeout, clearTimeout }; () => 0 to below 1
 *
 * client
 *   .state     'connecting' (a try is under way), 'online', 'draining' (online, but the
 *              gateway leaves soon), 'offline' (waits for its next try), 'closed' (for good)
 *   .user, .session, .limits   from the gateway's welcome; .rooms: Map of name -> room
 *   .unsent    sends that are not confirmed yet
 *   .join(name, { since })     -> room. Without `since` from now on, else everything
 *              after that sequence. The same room for the same name.
 *   .retry()   tries now instead of waiting
 *   .close()   for good; what is unsent fails
 *   .on(event, f)  -> a function that takes f away again. Events:
 *     'state'  { state, why, retryInMs }   why: 'start', 'lost', 'silent' (see Heartbeat),
 *              'unreachable' and 'timeout' (a try came to nothing), 'drain', 'slow',
 *              'token' (it has ended, or none could be had), 'refused' (a closing code that
 *              says "mend the client"), 'app'
 *     'error'  { code, message }           what no request of ours was the reason for
 *
 * room
 *   .name, .state ('joining', 'joined', 'refused', 'left'), .seq: newest that the app
 *   has (give it as `since` later), .head: newest that the gateway told of, .members
 *   .send(body, { id })  -> { id, room, body, state, seq, at, error, done }. state:
 *              'waiting', 'sending', 'sent', 'failed'. done: promise of the same object.
 *   .history({ before, after, limit })  -> promise of { messages, first, head, more }
 *   .who()     -> promise of { users, total }
 *   .typing()  tells others, at most every 2 s; .typing(false): no more
 *   .leave()
 *   Events: 'message' m; 'send' (one of ours changed its state); 'joined' answer;
 *     'refused' error; 'presence' and 'typing' as the gateway sends them;
 *     'gap' { after, next }: those between cannot be had any more;
 *     'reset' { seq, head }: the room's sequence is now behind what the app has: it is
 *     another one than before (the gateway lost or changed its store).
 */

const LATER = new Set(['busy', 'rate_limited', 'unavailable', 'unknown_outcome', 'offline']);
const FOR_GOOD = new Set([1002, 1003, 1007, 1008, 1009]);
const WHY = { 1001: 'drain', 4000: 'slow', 4001: 'token' };
const RESYNCS = 3; /* tries to close a hole before it is told */
const TYPING_MS = 2000;
const PROBE_MS = 5000;

const LONE = /\p{Cs}/gu; /* half of a pair of UTF-16 */

/* The gateway cannot read lone surrogates, and its error would be without our `ref`: they
 * become what UTF-8 makes of them. A member's name cannot be mended: throws. */
function toJson(message) {
	return JSON.stringify(message, (_, value) => {
		if (typeof value === 'string') return value.replace(LONE, '\ufffd');
		if (typeof value === 'object' && value && /[\0\p{Cs}]/u.test(Object.keys(value).join()))
			throw new TypeError('a member has a name that cannot be sent');
		return value;
	});
}

function isSendable(body) {
	try {
		return toJson(body) !== undefined;
	} catch {
		return false;
	}
}

export class ParleyError extends Error {
	constructor(code, message) {
		super(message ?? code);
		this.code = code;
	}
}

class Emitter {
	#handlers = new Map();

	on(event, handler) {
		if (!this.#handlers.has(event)) this.#handlers.set(event, new Set());
		this.#handlers.get(event).add(handler);
		return () => this.#handlers.get(event).delete(handler);
	}

	/* What an app does wrong in a handler must not stop the stream. */
	emit(event, value) {
		for (const handler of this.#handlers.get(event) ?? []) {
			try {
				handler(value);
			} catch (error) {
				console.error(error);
			}
		}
	}
}

class Room extends Emitter {
	constructor(client, name, since) {
		super();
		Object.assign(this, { client, name, state: 'joining', seq: since ?? null, head: null });
		this.members = null;
		this.outgoing = []; /* sends without confirmation, in order */
		this.held = false; /* a send has to wait, and those behind it do too */
		this.resyncs = 0; /* asked again for what is missing, and not got it yet */
		this.tries = 0;
		this.typedAt = -Infinity;
	}

	/* ---- membership ---- */

	enter() {
		this.state = 'joining';
		const join = { op: 'join', room: this.name };
		if (this.seq !== null) join.since = this.seq;
		this.client.ask(join, (error, answer) => {
			if (this.state !== 'joining') return;
			if (!error) this.entered(answer);
			else if (LATER.has(error.code)) this.later(error, () => this.enter());
			else this.refused(error);
		});
	}

	entered(answer) {
		const { head, first } = answer;
		this.head = head;
		this.members = answer.members;
		this.state = 'joined';
		this.held = false;
		const was = this.seq;
		if (was === null) {
			this.seq = head;
		} else if (head < was) {
			this.seq = head;
			this.emit('reset', { seq: was, head });
		} else if (first > was + 1) {
			this.seq = first - 1;
			this.emit('gap', { after: was, next: first });
		}
		this.emit('joined', answer);
		this.flush();
	}

	refused(error) {
		this.state = 'refused';
		for (const send of this.outgoing.splice(0)) this.settle(send, error);
		this.emit('refused', error);
	}

	/* Something is missing here: leaves and joins with what is there. */
	resync() {
		this.resyncs++;
		this.client.ask({ op: 'leave', room: this.name }, () => {});
		this.enter();
	}

	/* Calls `again` after a while; the next connection begins anew by itself. */
	later(error, again) {
		if (!this.client.link) return;
		const wait = error.retryAfterMs ?? this.client.jitter(++this.tries);
		this.client.timer(`later ${this.name}`, wait, again);
	}

	/* The connection is lost: all has to be asked for again. */
	stranded() {
		this.held = false;
		this.resyncs = 0;
		if (this.state === 'joined') this.state = 'joining';
	}

	leave() {
		if (this.state === 'left') return;
		if (this.client.link && this.state !== 'refused')
			this.client.ask({ op: 'leave', room: this.name }, () => {});
		this.state = 'left';
		this.client.timer(`later ${this.name}`);
		this.client.rooms.delete(this.name);
		for (const send of this.outgoing.splice(0))
			this.settle(send, new ParleyError('left', 'the room was left'));
	}

	/* ---- what comes in ---- */

	heard(message) {
		if (this.seq === null || message.seq <= this.seq) return;
		this.head = Math.max(this.head, message.seq);
		if (message.seq > this.seq + 1) {
			if (this.state !== 'joined') return;
			if (this.resyncs < RESYNCS) return this.resync();
			this.emit('gap', { after: this.seq, next: message.seq });
		}
		this.seq = message.seq;
		this.resyncs = 0;
		const mine = this.outgoing.find((send) => send.id === message.id);
		if (mine && message.from === this.client.user) this.sent(mine, message);
		this.emit('message', message);
	}

	/* ---- what goes out ---- */

	send(body, { id } = {}) {
		const send = { id: id?.replace(LONE, '\ufffd') ?? this.client.newId(), room: this.name, body, state: 'waiting' };
		send.done = new Promise((resolve, reject) => Object.assign(send, { resolve, reject }));
		send.done.catch(() => {}); /* `state` tells it too */
		if (this.state === 'left' || this.state === 'refused' || this.client.state === 'closed')
			this.settle(send, new ParleyError('not_member', 'not in this room'));
		else if (!isSendable(body))
			this.settle(send, new ParleyError('bad_json', 'this cannot be sent as JSON'));
		else if (this.client.unsent >= this.client.options.queue)
			this.settle(send, new ParleyError('queue_full', 'too many messages wait already'));
		else this.outgoing.push(send), this.emit('send', send), this.flush();
		return send;
	}

	flush() {
		if (!this.client.link || this.state !== 'joined' || this.held) return;
		let room = this.client.options.window;
		for (const send of [...this.outgoing]) {
			if (room-- === 0) break;
			if (send.state === 'waiting') this.transmit(send);
		}
	}

	transmit(send) {
		const message = { op: 'send', room: this.name, id: send.id, body: send.body };
		/* One that is too long would end the connection, again and again. */
		if (!this.client.fits(message))
			return this.settle(send, new ParleyError('too_long', 'the message is too long'));
		this.change(send, 'sending');
		this.client.ask(message, (error, answer) => {
			if (send.state !== 'sending') return;
			if (!error) return this.sent(send, answer);
			if (error.code === 'offline') return this.change(send, 'waiting');
			if (error.code === 'not_member' && this.state === 'joined') this.enter();
			else if (!LATER.has(error.code) && error.code !== 'not_member')
				return this.settle(send, error);
			this.change(send, 'waiting');
			if (LATER.has(error.code)) this.hold(error);
		});
	}

	hold(error) {
		if (this.held) return;
		this.held = true;
		this.later(error, () => {
			this.held = false;
			this.flush();
		});
	}

	sent(send, { seq, at }) {
		Object.assign(send, { seq, at });
		this.tries = 0;
		this.settle(send, null);
		this.flush();
	}

	settle(send, error) {
		const at = this.outgoing.indexOf(send);
		if (at >= 0) this.outgoing.splice(at, 1);
		if (error) send.error = error;
		this.change(send, error ? 'failed' : 'sent');
		if (error) send.reject(error);
		else send.resolve(send);
	}

	change(send, state) {
		send.state = state;
		this.emit('send', send);
	}

	/* ---- questions ---- */

	history({ before, after, limit } = {}) {
		return this.client.page({ op: 'history', room: this.name, before, after, limit });
	}

	who() {
		return this.client.request({ op: 'who', room: this.name });
	}

	typing(active = true) {
		const now = this.client.clock.now(), recent = now - this.typedAt < TYPING_MS;
		if (this.state !== 'joined' || !this.client.link || (active && recent)) return;
		if (!active && this.typedAt === -Infinity) return;
		this.typedAt = active ? now : -Infinity;
		this.client.write({ op: 'typing', room: this.name, active });
	}
}

class Client extends Emitter {
	constructor(url, options) {
		super();
		this.options = { queue: 1000, window: 32, baseMs: 500, maxMs: 30000, goodMs: 10000,
			connectMs: 10000, WebSocket: globalThis.WebSocket, random: Math.random, ...options };
		this.clock = options.clock ?? {
			now: () => performance.now(),
			setTimeout: (f, ms) => setTimeout(f, ms),
			clearTimeout: (timer) => clearTimeout(timer),
		};
		this.url = new URL(url, globalThis.location?.href);
		this.url.protocol = this.url.protocol.replace('http', 'ws');
		if (options.user !== undefined) this.url.searchParams.set('user', options.user);
		this.rooms = new Map();
		this.link = null; /* the socket, from welcome to its end */
		this.socket = null; /* the same, from its beginning */
		this.asked = new Map(); /* ref -> what to do with the answer */
		this.ref = this.failures = this.ids = 0;
		this.prefix = this.randomName();
		this.timers = {};
		this.paging = null; /* the last page that was asked for, and not had yet */
		this.watchBrowser();
		this.try('start');
	}

	get unsent() {
		let n = 0;
		for (const room of this.rooms.values()) n += room.outgoing.length;
		return n;
	}

	join(name, { since } = {}) {
		name = name.replace(LONE, '\ufffd');
		let room = this.rooms.get(name);
		if (room) return room;
		room = new Room(this, name, since);
		this.rooms.set(name, room);
		if (this.link) room.enter();
		return room;
	}

	close() {
		this.end('app', 1000);
	}

	/* ---- connecting ---- */

	async try(why) {
		this.become('connecting', why);
		this.timer('try', this.options.connectMs, () => this.lost('timeout'));
		const { token, WebSocket } = this.options;
		const attempt = (this.attempt = {});
		let socket;
		try {
			const given = typeof token === 'function' ? await token() : token;
			if (this.attempt !== attempt) return; /* given up meanwhile */
			socket = new WebSocket(this.address(), given ? ['parley.v1', `bearer.${given}`] : ['parley.v1']);
		} catch {
			if (this.attempt === attempt) this.lost('token');
			return;
		}
		this.socket = socket;
		socket.onmessage = (event) => this.socket === socket && this.heard(event.data);
		socket.onclose = (event) => this.socket === socket && this.closed(event.code);
		socket.onerror = () => {}; /* close follows */
	}

	/* With the session that was lost, for the gateway's statistics of what came back. */
	address() {
		const url = new URL(this.url);
		if (this.session) url.searchParams.set('was', this.session);
		return url.href;
	}

	retry() {
		if (this.state === 'offline') this.try('app');
	}

	closed(code) {
		if (FOR_GOOD.has(code)) return this.end('refused');
		this.lost(WHY[code] ?? (this.link ? 'lost' : 'unreachable'));
	}

	/* The link is gone, or given up: what was under way will go again on the next one. */
	lost(why) {
		const drained = this.comeBackMs;
		this.drop();
		const wait = (drained ?? 0) +
			(drained === undefined || this.failures ? this.jitter(this.failures) : 0);
		if (drained === undefined) this.failures++;
		this.timer('try', wait, () => this.try(why));
		this.become('offline', why, wait);
		for (const room of this.rooms.values()) room.stranded();
		this.refuseAll(new ParleyError('offline', 'the connection was lost'));
	}

	end(why, code) {
		if (this.state === 'closed') return;
		this.drop(code);
		this.become('closed', why);
		const error = new ParleyError('closed', 'the connection is closed for good');
		this.refuseAll(error);
		for (const room of this.rooms.values())
			for (const send of room.outgoing.slice()) room.settle(send, error);
		this.forget?.();
	}

	refuseAll(error) {
		const asked = [...this.asked.values()];
		this.asked.clear();
		for (const done of asked) done(error);
	}

	/* A socket whose peer is gone may take minutes to close: it is not waited for. */
	drop(code) {
		const socket = this.socket;
		this.link = this.socket = this.attempt = null;
		this.comeBackMs = undefined;
		for (const name of Object.keys(this.timers)) this.timer(name);
		try {
			socket?.close(code ?? 1000);
		} catch {
			/* not open yet; it ends by itself */
		}
	}

	become(state, why, retryInMs) {
		this.state = state;
		this.emit('state', { state, why, retryInMs });
	}

	jitter(n) {
		const { baseMs, maxMs, random } = this.options;
		return random() * Math.min(maxMs, baseMs * 2 ** Math.min(n, 20));
	}

	/* ---- what comes in ---- */

	heard(text) {
		this.heardAt = this.clock.now();
		this.pingedAt = undefined;
		let message;
		try {
			message = JSON.parse(text);
		} catch {
			return this.lost('lost');
		}
		const done = this.asked.get(message.ref);
		if (message.ref !== undefined && done) {
			this.asked.delete(message.ref);
			if (message.op !== 'error') return done(null, message);
			const error = new ParleyError(message.code, message.message);
			error.retryAfterMs = message.retry_after_ms;
			return done(error);
		}
		const room = this.rooms.get(message.room);
		if (message.op === 'welcome') this.welcomed(message);
		else if (message.op === 'message') room?.heard(message);
		else if (message.op === 'drain') this.drained(message);
		else if (message.op === 'error') this.emit('error', message);
		else if (message.op === 'presence' || message.op === 'typing') room?.emit(message.op, message);
	}

	welcomed({ user, session, limits, heartbeat }) {
		Object.assign(this, { user, session, limits, heartbeat, link: this.socket });
		this.timer('try');
		this.timer('good', this.options.goodMs, () => (this.failures = 0));
		this.beat();
		for (const room of this.rooms.values()) if (room.state !== 'refused') room.enter();
		this.become('online', 'start');
	}

	drained(message) {
		this.comeBackMs = message.reconnect_after_ms;
		this.become('draining', 'drain');
	}

	/* The gateway pings, but a browser does not show that: we ask for a sign of life, and
	 * wait for it from when we asked, because a hidden page's timers may be late. */
	beat() {
		const { interval_ms, timeout_ms } = this.heartbeat;
		const now = this.clock.now();
		if (this.pingedAt === undefined && now - this.heardAt >= interval_ms) this.ping(now, timeout_ms);
		if (this.pingedAt !== undefined && now >= this.deadAt) return this.lost('silent');
		const next = this.pingedAt === undefined ? this.heardAt + interval_ms : this.deadAt;
		this.timer('beat', next - now, () => this.beat());
	}

	ping(now, timeout) {
		this.pingedAt = now;
		this.deadAt = now + timeout;
		this.write({ op: 'ping' });
	}

	/* Back from sleep or to the network: soon know whether the link still lives. */
	probe() {
		if (this.state === 'offline') return this.try('app');
		if (!this.link || this.pingedAt !== undefined) return;
		this.ping(this.clock.now(), Math.min(PROBE_MS, this.heartbeat.timeout_ms));
		this.beat();
	}

	watchBrowser() {
		if (typeof globalThis.addEventListener !== 'function') return;
		const probe = () => globalThis.document?.visibilityState !== 'hidden' && this.probe();
		globalThis.addEventListener('online', probe);
		globalThis.document?.addEventListener('visibilitychange', probe);
		this.forget = () => {
			globalThis.removeEventListener('online', probe);
			globalThis.document?.removeEventListener('visibilitychange', probe);
		};
	}

	/* ---- what goes out ---- */

	write(message) {
		this.link.send(toJson(message));
	}

	/* done(error, answer) is called once, at the latest when the link is lost. */
	ask(message, done) {
		const ref = ++this.ref;
		this.asked.set(ref, done);
		this.write({ ...message, ref });
	}

	request(message) {
		return new Promise((resolve, reject) => {
			if (!this.link) reject(new ParleyError('offline', 'not connected'));
			else this.ask(message, (error, answer) => (error ? reject(error) : resolve(answer)));
		});
	}

	/* The gateway gives a client one page of history at a time. */
	page(message) {
		const ask = () => this.request(message);
		const page = this.paging ? this.paging.then(ask) : ask();
		const done = page.catch(() => {}).then(() => {
			if (this.paging === done) this.paging = null;
		});
		this.paging = done;
		return page;
	}

	fits(message) {
		const text = toJson({ ...message, ref: Number.MAX_SAFE_INTEGER });
		return new TextEncoder().encode(text).length <= this.limits.message;
	}

	newId() {
		return `${this.prefix}-${++this.ids}`;
	}

	randomName() {
		const bytes = globalThis.crypto?.getRandomValues(new Uint8Array(9)) ??
			Array.from({ length: 9 }, () => Math.random() * 256);
		return Array.from(bytes, (byte) => (byte | 0).toString(16).padStart(2, '0')).join('');
	}

	/* One timer a name: a new one takes the old one's place. */
	timer(name, ms, run) {
		this.clock.clearTimeout(this.timers[name]);
		delete this.timers[name];
		if (run) this.timers[name] = this.clock.setTimeout(run, ms);
	}
}

export function connect(url, options = {}) {
	return new Client(url, options);
}
