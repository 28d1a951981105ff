/*
 * page_log.js - the messages of one room on the page: a list that scrolls, grows at its
 * end by what is said, at its top by history, and shows below it what is not confirmed.
 *
 * What a message looks like beside its text (day, sender, "new" above it) follows from
 * the one before it; arrange() is the one place that decides it. Text gets onto the page
 * only as text.
 */

const PAGE = 50; /* messages asked for at once */
const KEPT = 500; /* messages on the page while one reads at the end */
const NEAR = 80; /* so many pixels from an end are at it */
const TOGETHER_MS = 5 * 60 * 1000;
const RETRY_MS = 3000; /* until history that could not be had is asked for again */
const MISSED_MAX = 2000; /* who does not look at so many does not read further up */
const LONG = 2000, LINES = 30; /* more letters or lines are shown when asked for */

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

export function element(name, className, text) {
	const made = document.createElement(name);
	if (className) made.className = className;
	if (text !== undefined) made.textContent = text;
	return made;
}

/* A letter that can be seen, on a colour that is the name's own. */
export function avatar(name) {
	const letter = /[^\p{C}\p{M}\p{Z}]/u.exec(name)?.[0] ?? '?';
	const made = element('span', 'avatar', letter.toUpperCase());
	let hash = 0;
	for (const c of name) hash = (hash * 31 + c.codePointAt(0)) % 360;
	made.style.setProperty('--hue', (hash * 137) % 360); /* near names, far colours */
	made.setAttribute('aria-hidden', 'true');
	return made;
}

function words(body) {
	return typeof body?.text === 'string' ? body.text : JSON.stringify(body);
}

/* A text, in the direction of its own first letters. */
function paragraph(body) {
	const made = element('p', 'text', words(body));
	made.dir = 'auto';
	return made;
}

function folded(text) {
	const button = element('button', 'quiet unfold', 'Show all of it');
	button.type = 'button';
	text.classList.add('folded');
	button.onclick = () => {
		text.classList.remove('folded');
		button.remove();
	};
	return button;
}

function isLong({ textContent }) {
	return textContent.length > LONG || textContent.split('\n').length > LINES;
}

function dayOf(ms) {
	const now = new Date(), then = new Date(ms);
	if (then.toDateString() === now.toDateString()) return 'Today';
	now.setDate(now.getDate() - 1);
	return then.toDateString() === now.toDateString() ? 'Yesterday' : day.format(then);
}

export class Log {
	/* me() is our name; seen() is called when the end is on the screen. */
	constructor(room, { me, seen }) {
		Object.assign(this, { room, me, seen });
		this.first = null; /* sequence of the oldest on the page */
		this.newAfter = null; /* "new messages" stands behind this sequence */
		this.loading = this.complete = false;
		this.missed = 0; /* came while one was not at the end */
		this.mine = new Map(); /* id -> item of what is not in the list yet */
		this.view = element('div', 'log');
		this.view.tabIndex = 0;
		this.view.setAttribute('role', 'log');
		this.view.setAttribute('aria-label', `Messages in ${room.name}`);
		this.top = element('p', 'history');
		this.list = element('ol');
		this.waiting = element('ol', 'waiting');
		this.waiting.setAttribute('aria-live', 'off'); /* read out once it is said */
		this.view.append(this.top, this.list, this.waiting);
		this.view.addEventListener('scroll', () => this.scrolled(), { passive: true });
		new ResizeObserver(() => this.settled && this.toEnd()).observe(this.view);
		this.settled = true; /* the end is to stay in view */
		this.following = false; /* it will be brought there */
		this.placedAt = 0;
		room.on('message', (message) => this.add(message));
		room.on('send', (send) => this.show(send));
		room.on('gap', ({ after, next }) => this.note(`${next - after - 1} messages are missing here: they are no longer kept.`));
		room.on('reset', () => this.note('This room begins anew here: its earlier history is gone.'));
	}

	/* ---- places ---- */

	get atEnd() {
		const { scrollHeight, scrollTop, clientHeight } = this.view;
		return scrollHeight - scrollTop - clientHeight < NEAR;
	}

	get onScreen() {
		return !this.view.hidden && document.visibilityState === 'visible';
	}

	toEnd() {
		this.view.scrollTop = this.view.scrollHeight;
		this.placedAt = this.view.scrollTop;
	}

	/* Once a frame, however much has come: to know where the end is costs time. */
	follow() {
		if (this.list.children.length > 2 * KEPT) this.trim(); /* frames of hidden pages do not come */
		if (this.following) return;
		this.following = true;
		requestAnimationFrame(() => {
			this.following = false;
			if (!this.settled) return;
			this.trim();
			this.toEnd();
		});
	}

	scrolled() {
		if (this.view.hidden) return;
		/* Until then the end is away only because more has come below. */
		if (this.following && this.settled && this.view.scrollTop >= this.placedAt) return;
		this.settled = this.atEnd;
		if (this.settled) this.backAtEnd();
		if (this.settled && this.onScreen) this.seen(this);
		if (this.view.scrollTop < NEAR) this.load();
	}

	/* What was read further up may go from the page again. */
	backAtEnd() {
		this.missed = 0;
		if (this.list.children.length <= KEPT) return;
		this.trim();
		this.toEnd();
	}

	shown() {
		if (this.newAfter !== null) this.rearrange();
		if (this.settled) this.toEnd();
		this.scrolled();
	}

	/* ---- messages ---- */

	item(message) {
		const item = element('li', 'message');
		Object.assign(item, { message });
		item.classList.toggle('own', message.from === this.me());
		const head = element('p', 'head');
		const stamp = element('time', null, time.format(message.at));
		stamp.dateTime = new Date(message.at).toISOString();
		stamp.title = new Date(message.at).toLocaleString();
		head.append(element('b', null, message.from), ' ', stamp);
		const text = paragraph(message.body);
		item.append(avatar(message.from), head, text);
		if (isLong(text)) item.append(folded(text));
		return item;
	}

	/* What stands above a message because of the one before it. */
	arrange(item) {
		if (!item?.message) return;
		const { message } = item, before = item.previousElementSibling?.message;
		for (const old of item.querySelectorAll('.rule')) old.remove();
		const today = dayOf(message.at), other = !before || dayOf(before.at) !== today;
		const isNew = this.newAfter !== null && message.seq > this.newAfter &&
			(!before || before.seq <= this.newAfter) && message.seq > this.first;
		if (isNew) item.prepend(element('p', 'rule new', 'New messages'));
		if (other) item.prepend(element('p', 'rule', today));
		item.classList.toggle('more', !other && !isNew && before.from === message.from &&
			message.at - before.at < TOGETHER_MS);
	}

	rearrange() {
		for (const item of this.list.children) this.arrange(item);
	}

	add(message) {
		const item = this.item(message);
		if (message.from === this.me()) this.forget(message.id);
		if (this.first === null) this.first = message.seq;
		const read = this.onScreen && this.settled;
		if (!read && this.newAfter === null && message.from !== this.me()) this.newAfter = message.seq - 1;
		this.list.append(item);
		this.arrange(item);
		if (!this.settled && ++this.missed > MISSED_MAX) this.settled = true;
		if (this.settled) this.follow();
		if (read) this.seen(this);
	}

	note(text) {
		this.list.append(element('li', 'note', text));
		for (const [id, item] of this.mine) if (item.dataset.state === 'sent') this.forget(id);
		if (this.settled) this.toEnd();
	}

	/* The page stays small: what goes here comes back by scrolling. */
	trim() {
		let n = this.list.children.length - KEPT;
		if (n <= 0) return;
		while (n-- > 0) this.list.firstChild.remove();
		while (this.list.firstChild && !this.list.firstChild.message) this.list.firstChild.remove();
		this.first = this.list.firstChild?.message.seq ?? null;
		this.complete = false;
		this.top.textContent = '';
		this.arrange(this.list.firstChild);
	}

	/* ---- history ---- */

	async load() {
		if (this.loading || this.complete || this.room.state !== 'joined') return;
		const before = this.first ?? this.room.seq + 1;
		if (before <= 1) return this.begun();
		this.loading = true;
		this.top.textContent = 'Loading earlier messages…';
		this.view.setAttribute('aria-busy', 'true');
		try {
			this.prepend(await this.room.history({ before, limit: PAGE }), before);
		} catch (error) {
			this.top.textContent = error.code === 'offline' ? '' : 'Earlier messages cannot be had now.';
			setTimeout(() => this.onScreen && this.view.scrollTop < NEAR && this.load(), RETRY_MS);
			return;
		} finally {
			this.loading = false;
			this.view.removeAttribute('aria-busy');
		}
		/* A screen that is not full yet cannot be scrolled. */
		if (!this.complete && this.onScreen && this.view.scrollHeight <= this.view.clientHeight) this.load();
	}

	/* What is on the screen stays where it is, and nothing of it is read out. */
	prepend({ messages, more, first }, before) {
		this.view.setAttribute('aria-live', 'off');
		setTimeout(() => this.view.setAttribute('aria-live', 'polite'), 500);
		const fromEnd = this.view.scrollHeight - this.view.scrollTop;
		const next = this.list.firstChild;
		const older = messages.filter((message) => message.seq < before);
		this.list.prepend(...older.map((message) => this.item(message)));
		this.first = older[0]?.seq ?? this.first;
		for (const item of [...this.list.children].slice(0, older.length)) this.arrange(item);
		this.arrange(next);
		this.top.textContent = '';
		if (!more) this.begun(first > 1);
		this.view.scrollTop = this.settled ? this.view.scrollHeight : this.view.scrollHeight - fromEnd;
	}

	begun(trimmed) {
		this.complete = true;
		this.top.textContent = trimmed ? 'Earlier messages are no longer kept.' : `${this.room.name} begins here.`;
	}

	/* ---- what is not confirmed yet ---- */

	show(send) {
		let item = this.mine.get(send.id);
		if (!item) {
			if (send.state === 'sent') return;
			item = element('li', 'message own pending');
			const text = paragraph(send.body);
			text.classList.toggle('folded', isLong(text));
			item.append(avatar(this.me()), text, element('p', 'fate'));
			this.mine.set(send.id, item);
			this.waiting.append(item);
		}
		if (item.dataset.state === send.state) return;
		item.dataset.state = send.state;
		this.tell(send, item.querySelector('.fate'));
		this.settled = true;
		this.toEnd();
	}

	tell(send, fate) {
		const said = { waiting: 'waiting to be sent', sending: 'sending…', sent: 'sent' };
		fate.textContent = said[send.state] ?? `not sent: ${send.error.message} `;
		if (send.state !== 'failed') return;
		fate.setAttribute('role', 'alert');
		const again = element('button', 'quiet', 'Try again'), discard = element('button', 'quiet', 'Discard');
		again.type = discard.type = 'button';
		again.onclick = () => {
			this.forget(send.id);
			this.room.send(send.body, { id: send.id });
		};
		discard.onclick = () => this.forget(send.id);
		fate.append(again, ' ', discard);
	}

	forget(id) {
		this.mine.get(id)?.remove();
		this.mine.delete(id);
	}
}
