// status.js - keeps the status page up to date from /events, and says when it cannot.
//
// Every element that comes has an id, and takes the place of the one with that id: what is
// the same stays the same, so that focus, selection and scrolling stay where they are.
(() => {
	'use strict';
	const LATE_MS = 3000; // an event comes every second
	const DEAD_MS = 10000; // then the connection is not believed any more
	const STEP_MS = 5000; // how often to ask where there is no stream
	const get = (id) => document.getElementById(id);
	const words = get('link');
	let source, steps; // one of them: a stream, or a timer
	let seen = Date.now(), tried = seen, said = get('headline').textContent, lost = false;

	function same(old, fresh) {
		for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== 'open') old.removeAttribute(name);
		for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
		const before = [...old.childNodes], after = [...fresh.childNodes];
		after.forEach((node, i) => {
			const was = before[i];
			if (!was) old.append(node);
			else if (was.nodeName !== node.nodeName) was.replaceWith(node);
			else if (was.nodeType === Node.ELEMENT_NODE) same(was, node);
			else if (was.data !== node.data) was.data = node.data;
		});
		before.slice(after.length).forEach((node) => node.remove());
	}

	function show(elements) {
		for (const fresh of elements) {
			const old = fresh.id && get(fresh.id);
			if (old) same(old, fresh);
		}
		seen = Date.now();
		tell();
	}

	function show_event(event) {
		const part = document.createElement('template');
		part.innerHTML = event.data;
		show([...part.content.children]);
	}

	// Screen readers hear changes, not every second.
	function say(text) {
		if (text === said) return;
		said = text;
		get('said').textContent = text;
	}

	function ago(ms) {
		const s = Math.round(ms / 1000);
		return s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
	}

	function tell() {
		const age = Date.now() - seen;
		lost = age > LATE_MS + (steps ? STEP_MS : 0);
		document.body.classList.toggle('is-lost', lost);
		document.body.classList.toggle('is-live', !lost);
		get('lost').hidden = !lost;
		words.textContent = lost ? `Last seen ${ago(age)} ago,` : steps ? 'Every 5 s,' : 'Live,';
		if (lost) {
			get('lost').textContent = `healthd does not answer: what stands here was last seen ${ago(age)} ago.`;
			get('title').textContent = 'Not known – Parley';
		}
		say(lost ? 'healthd does not answer: what stands here is old.' : get('headline').textContent);
	}

	function listen() {
		clearTimeout(steps);
		steps = 0;
		if (source) source.close();
		tried = Date.now();
		source = new EventSource('/events?page');
		source.addEventListener('live', show_event);
		source.addEventListener('charts', show_event);
		// The browser comes again by itself, but not after an answer such as 503.
		source.onerror = () => source.readyState === EventSource.CLOSED && step();
	}

	// There are too many streams, or nobody is there: asks for the whole page now and then.
	async function step() {
		source.close();
		clearTimeout(steps);
		steps = setTimeout(listen, STEP_MS);
		try {
			const answer = await fetch('/', { headers: { Accept: 'text/html' }, cache: 'no-store', signal: AbortSignal.timeout(STEP_MS) });
			const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
			if (answer.ok) show([...page.querySelectorAll('[id]')].filter(({ id }) => !['link', 'said', 'lost', 'headline'].includes(id) && !id.endsWith('-title')));
		} catch {
			// Nobody is there: tell() says so.
		}
	}

	setInterval(() => {
		tell();
		const now = Date.now();
		if (!steps && now - seen > DEAD_MS && now - tried > DEAD_MS) listen();
	}, 500);
	listen();
})();
