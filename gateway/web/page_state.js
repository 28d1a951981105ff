/*
 * page_state.js - how the connection stands, in words that are true.
 */
const $ = (id) => document.getElementById(id);
const PROBE_MS = 3000;

const WORDS = { online: 'Connected', offline: 'Not connected',
	draining: 'Connected, server restarts soon', closed: 'Disconnected' };
const REASONS = {
	lost: 'The connection was lost.',
	silent: 'The server has fallen silent.',
	timeout: 'The server does not answer.',
	unreachable: 'The server cannot be reached.',
	drain: 'The server restarts.',
	slow: 'This page could not keep up.',
	token: 'Your token has ended.',
};
const KEPT = 'What you write is kept here and sent when the connection is back.';
const REFUSED = 'The server refuses this page; reload it to try again.';
const FULL = 'The server answers, but takes nobody in now: it may be full.';
const NOT_LET_IN = 'The server answers, but does not let you in: it may be full, or the token ' +
	'is not valid there, or not any more.';

/* A browser does not say why a connection was refused; whether somebody is there can be
 * asked. */
async function answers() {
	try {
		const signal = AbortSignal.timeout(PROBE_MS);
		return (await fetch('/about.json', { cache: 'no-store', signal })).ok;
	} catch {
		return false;
	}
}

export class State {
	#reason = '';
	#countdown;
	#told = 0;

	/* open: names are believed, no token is wanted. */
	constructor(open) {
		this.open = open;
	}

	tell({ state, why, retryInMs }) {
		const told = ++this.#told, first = why === 'start';
		if (REASONS[why]) this.#reason = REASONS[why];
		$('state').dataset.state = state;
		$('state-words').textContent = WORDS[state] ?? (first ? 'Connecting…' : 'Reconnecting…');
		clearInterval(this.#countdown);
		$('countdown').textContent = '';
		$('notice').hidden = state === 'online' || state === 'draining' || (state === 'connecting' && first);
		$('retry').hidden = state === 'connecting';
		$('retry').textContent = state === 'closed' ? 'Reload' : 'Try now';
		$('notice-words').textContent = state === 'closed' ? REFUSED : `${this.#reason} ${KEPT}`;
		if (state === 'offline') this.#countDown(Date.now() + retryInMs);
		if (state === 'offline' && why === 'unreachable') this.#explain(told);
	}

	async #explain(told) {
		if (!(await answers())) return;
		this.#reason = this.open ? FULL : NOT_LET_IN;
		if (this.#told === told) $('notice-words').textContent = `${this.#reason} ${KEPT}`;
	}

	/* Not read out: the words above say what matters. */
	#countDown(at) {
		const tell = () => {
			const left = Math.ceil((at - Date.now()) / 1000);
			$('countdown').textContent = left > 1 ? `Next try in ${left} s.` : '';
		};
		tell();
		this.#countdown = setInterval(tell, 500);
	}
}
