/*
 * page.js - the chat page: rooms, people, connection and writing, made with parley.js.
 *
 * Kept in this browser: the name, the rooms, and per room up to where one has read.
 * The room on the screen is in the address, so that it can be linked to.
 */
import { connect } from './parley.js';
import { Log, avatar, element } from './page_log.js';
import { People } from './page_people.js';
import { State } from './page_state.js';
import { Who, fromAddress, problemOf } from './page_who.js';

const $ = (id) => document.getElementById(id);
const narrow = matchMedia('(max-width: 719px)'), medium = matchMedia('(max-width: 1019px)');
const TITLES = { open: 'What shall others call you?', jwt: 'This server wants a token' };

/* ---- what is kept in this browser; it may be somebody else's ---- */

const isName = (name) => typeof name === 'string' && name !== '' && !problemOf(name);

const kept = {
	get(key) {
		try {
			return JSON.parse(localStorage.getItem(`parley.${key}`));
		} catch {
			return null; /* storage may be forbidden */
		}
	},
	set(key, value) {
		try {
			localStorage.setItem(`parley.${key}`, JSON.stringify(value));
		} catch {
			/* then it is not kept */
		}
	},
	name() {
		const name = this.get('name');
		return isName(name) ? name : '';
	},
	rooms() {
		const rooms = this.get('rooms');
		return Array.isArray(rooms) ? rooms.filter(isName) : [];
	},
	read() {
		const entries = Object.entries(this.get('read') ?? {});
		return new Map(entries.filter(([, seq]) => Number.isSafeInteger(seq)));
	},
};

let parley, current, who, state, token;
let me; /* the name that the gateway welcomed us by */
const logs = new Map(); /* room name -> { room, log, people, link } */
const read = kept.read(); /* room name -> sequence */

/* ---- connection ---- */

function tellState(told) {
	/* What waits was written by the one before. */
	if (told.state === 'online' && me && parley.user !== me) return startAnew();
	if (told.state === 'online') me = parley.user;
	showMe(me ?? (who.open ? kept.name() : 'Other token'));
	state.tell(told);
	showPeople();
	if (told.why === 'token' && told.state === 'offline') askToken('Your token has ended');
}

function startAnew() {
	parley.close();
	location.reload();
}

function showMe(name) {
	if ($('my-name').textContent === name) return;
	$('my-name').textContent = name;
	$('me').querySelector('.avatar')?.remove();
	$('me').prepend(avatar(name));
}

/* ---- rooms ---- */

function enter(name) {
	if (logs.has(name)) return logs.get(name);
	const room = parley.join(name);
	const log = new Log(room, { me: () => parley.user, seen });
	const people = new People(room, () => (showPeople(), showTyping()));
	const link = element('a', null, name);
	link.href = `#${encodeURIComponent(name)}`;
	link.append(element('span', 'badge'));
	const entry = { room, log, people, link, item: element('li') };
	entry.item.append(link);
	log.view.hidden = true;
	$('logs').append(log.view);
	logs.set(name, entry);
	room.on('joined', () => joined(entry));
	room.on('refused', (error) => refused(entry, error));
	room.on('message', () => showUnread(entry));
	keepRooms();
	return entry;
}

function joined(entry) {
	const { room, log } = entry;
	read.set(room.name, Math.min(read.get(room.name) ?? room.head, room.head));
	keepRead();
	if (log.newAfter === null && log.first === null && read.get(room.name) < room.head)
		log.newAfter = read.get(room.name);
	showUnread(entry);
	if (entry === current) log.shown();
	showPeople();
}

function refused(entry, error) {
	entry.log.note(`This room cannot be entered: ${error.message}.`);
}

function leave(entry) {
	entry.room.leave();
	entry.log.view.remove();
	logs.delete(entry.room.name);
	read.delete(entry.room.name);
	keepRooms();
	location.hash = encodeURIComponent([...logs.keys()][0] ?? 'lobby');
}

function keepRooms() {
	kept.set('rooms', [...logs.keys()]);
	const sorted = [...logs.values()].sort((a, b) => a.room.name.localeCompare(b.room.name));
	$('room-list').replaceChildren(...sorted.map((entry) => entry.item));
}

function show(name) {
	const entry = enter(name);
	if (current && current !== entry) {
		current.log.view.hidden = true;
		current.log.newAfter = null;
		current.log.rearrange();
		current.draft = $('text').value;
		current.link.removeAttribute('aria-current');
		$('text').value = entry.draft ?? '';
		grow();
	}
	current = entry;
	entry.link.setAttribute('aria-current', 'page');
	$('room-name').textContent = name;
	$('text-label').textContent = `Message to ${name}`;
	$('text').placeholder = `Message to ${name}`;
	entry.log.view.hidden = false;
	entry.log.shown();
	showUnread(entry);
	showPeople();
	showTyping();
	closePanels();
}

/* ---- unread ---- */

function keepRead() {
	kept.set('read', Object.fromEntries(read));
}

function seen({ room }) {
	if (room.seq > (read.get(room.name) ?? 0)) {
		read.set(room.name, room.seq);
		keepRead();
	}
	const entry = logs.get(room.name);
	if (entry) showUnread(entry);
}

function unreadIn({ room }) {
	return Math.max(0, (room.head ?? 0) - (read.get(room.name) ?? room.head ?? 0));
}

function showUnread(entry) {
	const n = unreadIn(entry), badge = entry.link.querySelector('.badge');
	badge.textContent = n > 99 ? '99+' : n || '';
	badge.hidden = n === 0;
	entry.link.setAttribute('aria-label', n ? `${entry.room.name}, ${n} unread` : entry.room.name);
	let all = 0, elsewhere = 0;
	for (const other of logs.values()) {
		all += unreadIn(other);
		if (other !== current) elsewhere += unreadIn(other);
	}
	$('unread-elsewhere').hidden = elsewhere === 0;
	$('unread-elsewhere').textContent = elsewhere > 99 ? '99+' : elsewhere;
	const title = `${all ? `(${all}) ` : ''}${current?.room.name ?? ''} – Parley`;
	if (document.title !== title) document.title = title;
	const missed = current?.log.missed;
	$('to-end').hidden = !current || current.log.settled;
	$('to-end').textContent = missed ? `${missed} new ${missed === 1 ? 'message' : 'messages'} ↓` : 'To the newest ↓';
}

/* ---- people ---- */

function showPeople() {
	if (!current) return;
	const { room, people } = current;
	const online = parley.state === 'online' || parley.state === 'draining';
	const n = people.known ? people.count : room.members;
	$('room-about').textContent = !online ? 'not connected' : n ? `${n} ${n === 1 ? 'person' : 'people'} here` : '';
	$('people-count').textContent = online && n ? n : '';
	$('people-list').classList.toggle('stale', !online);
	$('people-list').replaceChildren(...people.names().map((name) => {
		const item = element('li');
		item.append(avatar(name), element('span', 'name', name));
		if (name === parley.user) item.append(element('span', 'note', 'you'));
		return item;
	}));
	if (people.known && people.more) $('people-list').append(element('li', 'note', `and ${people.more} more`));
}

/* A name's own direction must not turn the words around it. */
function isolated(name) {
	return `\u2068${name}\u2069`;
}

function showTyping() {
	const names = current?.people.typing().filter((name) => name !== me).map(isolated) ?? [];
	$('typing').textContent = names.length === 0 ? '' : names.length === 1 ? `${names[0]} is writing…`
		: names.length === 2 ? `${names[0]} and ${names[1]} are writing…` : 'Several people are writing…';
}

/* ---- writing ---- */

function grow() {
	const text = $('text');
	text.style.height = 'auto';
	text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.4)}px`;
}

function submit() {
	const text = $('text').value.trim();
	if (!text || !current) return;
	const send = current.room.send({ text });
	if (send.error?.code !== 'queue_full') $('text').value = '';
	grow();
	$('text').focus();
}

/* ---- panels, which stand beside the messages where there is room ---- */

const panels = [
	{ panel: $('rooms'), button: $('show-rooms'), when: narrow },
	{ panel: $('people'), button: $('show-people'), when: medium },
];

function openPanel({ panel, button }, open) {
	panel.classList.toggle('open', open);
	button.setAttribute('aria-expanded', String(open));
	document.body.classList.toggle('covered', panels.some((p) => p.panel.classList.contains('open')));
}

function closePanels() {
	let closed = null;
	for (const p of panels) {
		if (p.panel.classList.contains('open')) closed = p;
		openPanel(p, false);
	}
	return closed;
}

function toggle(p) {
	const open = !p.panel.classList.contains('open');
	closePanels();
	openPanel(p, open);
	if (open) (p.panel.querySelector('[aria-current], a, input') ?? p.button).focus();
}

/* ---- name, or token ---- */

async function changeName() {
	if (!who.open) return parley.state === 'offline' ? askToken('Another token') : location.reload();
	const name = await who.ask(TITLES.open, { value: me ?? kept.name(), canCancel: true });
	if (!name || name === me) return $('me').focus();
	kept.set('name', name);
	location.reload();
}

async function askToken(title) {
	useToken(await who.ask(title, { canCancel: true }));
}

function useToken(given) {
	if (!given || who.open) return;
	token = given;
	parley.retry();
}

function followAddress() {
	const address = fromAddress();
	useToken(address.token);
	show(address.room || 'lobby');
}

/* ---- keys and clicks ---- */

function joinByName(event) {
	event.preventDefault();
	const name = $('join-name').value.trim();
	const problem = problemOf(name);
	$('join-problem').textContent = problem;
	if (!name || problem) return;
	$('join-name').value = '';
	location.hash = encodeURIComponent(name);
	$('text').focus();
}

function onKey(event) {
	if (event.isComposing) return;
	if (event.key === 'Enter' && !event.shiftKey && event.target === $('text')) {
		event.preventDefault();
		submit();
	} else if (event.key === 'Escape' && !$('who').open) {
		const closed = closePanels();
		if (closed) return closed.button.focus();
		current?.log.toEnd();
		$('text').focus();
	}
}

function wire() {
	addEventListener('hashchange', followAddress);
	addEventListener('keydown', onKey);
	addEventListener('beforeunload', (event) => parley.unsent && event.preventDefault());
	addEventListener('pagehide', keepRead);
	document.addEventListener('visibilitychange', () => current?.log.scrolled());
	for (const p of panels) {
		p.button.onclick = () => toggle(p);
		p.when.onchange = () => openPanel(p, false);
		openPanel(p, false);
	}
	$('logs').addEventListener('scroll', () => current && showUnread(current), { passive: true, capture: true });
	document.querySelector('main').addEventListener('click', closePanels);
	$('skip').onclick = (event) => (event.preventDefault(), $('text').focus());
	$('join').onsubmit = joinByName;
	$('leave').onclick = () => leave(current);
	$('me').onclick = changeName;
	$('retry').onclick = () => (parley.state === 'closed' ? location.reload() : parley.retry());
	$('to-end').onclick = () => (current.log.toEnd(), $('text').focus());
	$('compose').onsubmit = (event) => (event.preventDefault(), submit());
	$('text').oninput = () => {
		grow();
		current?.room.typing($('text').value.trim() !== '');
	};
}

/* ---- start ---- */

async function about() {
	try {
		return await (await fetch('/about.json')).json();
	} catch {
		return { auth: 'open' }; /* a name does no harm where a token is wanted */
	}
}

async function start() {
	const open = (await about()).auth === 'open', address = fromAddress();
	who = new Who(open);
	state = new State(open);
	token = address.token;
	const given = (open ? kept.name() : token) || (await who.ask(open ? TITLES.open : TITLES.jwt));
	if (open) kept.set('name', given);
	else token = given;
	parley = connect('/chat', open ? { user: given } : { token: () => token });
	parley.on('state', tellState);
	tellState({ state: parley.state, why: 'start' });
	wire();
	for (const name of kept.rooms()) enter(name);
	show(address.room || [...logs.keys()][0] || 'lobby');
	$('text').focus();
}

start();
