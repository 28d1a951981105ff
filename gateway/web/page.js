/*
 * page.js - the chat page: rooms, people, connection and writing, made with parley.js.
 *
 * Kept in this browser: the name, the rooms, and per room up to where one has read.
 * The room on the screen is in the address, so that it can be linked to.
 */
import { connect } from './parley.js';
import { Log, avatar, element } from './page_log.js';
import { People } from './page_people.js';

const $ = (id) => document.getElementById(id);
const narrow = matchMedia('(max-width: 719px)'), medium = matchMedia('(max-width: 1019px)');
const bytes = (text) => new TextEncoder().encode(text).length;
const NAME_MAX = 64;

/* ---- what is kept in this browser ---- */

const kept = {
	get(key, otherwise) {
		try {
			return JSON.parse(localStorage.getItem(`parley.${key}`)) ?? otherwise;
		} catch {
			return otherwise; /* storage may be forbidden, or somebody else's */
		}
	},
	set(key, value) {
		try {
			localStorage.setItem(`parley.${key}`, JSON.stringify(value));
		} catch {
			/* then it is not kept */
		}
	},
};

let parley, current;
let open = true; /* names are believed */
const logs = new Map(); /* room name -> { room, log, people, link } */
const read = kept.get('read', {});

/* ---- connection ---- */

const REASONS = {
	lost: 'The connection was lost.',
	silent: 'The server has fallen silent.',
	timeout: 'The server does not answer.',
	unreachable: 'The server cannot be reached.',
	drain: 'The server restarts.',
	slow: 'This page could not keep up.',
	token: 'Your token has ended.',
	app: '', start: '',
};
let countdown;

function tellState({ state, why, retryInMs }) {
	const words = { connecting: 'Connecting…', online: 'Connected', offline: 'Not connected',
		draining: 'Connected, server restarts soon', closed: 'Disconnected' };
	showMe(parley.user ?? (open ? kept.get('name', '') : 'Other token'));
	$('state').dataset.state = state;
	$('state-words').textContent = words[state];
	clearInterval(countdown);
	$('countdown').textContent = '';
	const away = state === 'offline' || (state === 'connecting' && why !== 'start');
	$('notice').hidden = !away && state !== 'closed';
	$('retry').hidden = state === 'connecting';
	$('retry').textContent = state === 'closed' ? 'Reload' : 'Try now';
	if (state === 'closed')
		$('notice-words').textContent = 'The server refuses this page; reload it to try again.';
	else if (away && !open && !parley.user)
		$('notice-words').textContent = 'The server is not to be reached, or did not accept the token.';
	else if (away)
		$('notice-words').textContent = `${REASONS[why]} What you write is kept here and sent when the connection is back.`;
	if (state === 'offline') countDown(Date.now() + retryInMs);
	showPeople();
}

function showMe(name) {
	if ($('my-name').textContent === name) return;
	$('my-name').textContent = name;
	$('me').querySelector('.avatar')?.remove();
	$('me').prepend(avatar(name));
}

/* Not read out: the words above say what matters. */
function countDown(at) {
	const tell = () => {
		const left = Math.ceil((at - Date.now()) / 1000);
		$('countdown').textContent = left > 1 ? `Next try in ${left} s.` : '';
	};
	tell();
	countdown = setInterval(tell, 500);
}

/* ---- rooms ---- */

function roomName() {
	try {
		return decodeURIComponent(location.hash.slice(1));
	} catch {
		return '';
	}
}

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
	read[room.name] = Math.min(read[room.name] ?? room.head, room.head);
	if (log.newAfter === null && log.first === null && read[room.name] < room.head)
		log.newAfter = read[room.name];
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
	delete read[entry.room.name];
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

function seen({ room, missed }) {
	if (room.seq > (read[room.name] ?? 0)) {
		read[room.name] = room.seq;
		kept.set('read', read);
	}
	const entry = logs.get(room.name);
	if (entry) showUnread(entry);
}

function unreadIn({ room }) {
	return Math.max(0, (room.head ?? 0) - (read[room.name] ?? room.head ?? 0));
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
	document.title = `${all ? `(${all}) ` : ''}${current?.room.name ?? ''} – Parley`;
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

function showTyping() {
	const names = current?.people.typing().filter((name) => name !== parley.user) ?? [];
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

/* ---- name ---- */

function askWho(canCancel) {
	$('who-cancel').hidden = !canCancel;
	$('who-name').value = parley?.user ?? kept.get('name', '');
	$('who').showModal();
	return new Promise((resolve) => {
		$('who').oncancel = (event) => {
			if (!canCancel) event.preventDefault();
		};
		$('who').onclose = () => resolve($('who').returnValue);
		$('who-cancel').onclick = () => $('who').close('');
		$('who-form').onsubmit = (event) => {
			event.preventDefault();
			const name = $('who-name').value.trim();
			const problem = !name ? 'Write something here, please.'
				: open && bytes(name) > NAME_MAX ? 'This name is too long.' : '';
			$('who-problem').textContent = problem;
			if (!problem) $('who').close(name);
		};
	});
}

async function changeName() {
	if (!open) return location.reload(); /* asks for a token */
	const name = await askWho(true);
	if (!name || name === parley.user) return $('me').focus();
	kept.set('name', name);
	location.reload();
}

/* ---- keys and clicks ---- */

function joinByName(event) {
	event.preventDefault();
	const name = $('join-name').value.trim();
	const problem = bytes(name) > NAME_MAX ? 'This name is too long.' : '';
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
	addEventListener('hashchange', () => show(roomName() || 'lobby'));
	addEventListener('keydown', onKey);
	addEventListener('beforeunload', (event) => parley.unsent && event.preventDefault());
	addEventListener('pagehide', () => kept.set('read', read));
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
	open = (await about()).auth === 'open';
	for (const warning of document.querySelectorAll('.unproven')) warning.hidden = !open;
	if (!open) {
		$('who-title').textContent = 'This server wants a token';
		$('who-label').textContent = 'Your token';
		$('who-name').type = 'password';
		$('who-name').removeAttribute('maxlength');
	}
	const name = (open && kept.get('name', '')) || (await askWho(false));
	if (open) kept.set('name', name);
	parley = connect('/chat', open ? { user: name } : { token: name });
	parley.on('state', tellState);
	tellState({ state: parley.state, why: 'start' });
	wire();
	for (const room of kept.get('rooms', [])) if (typeof room === 'string') enter(room);
	show(roomName() || [...logs.keys()][0] || 'lobby');
	$('text').focus();
}

start();
