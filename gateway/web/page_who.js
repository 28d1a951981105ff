/*
 * page_who.js - who one is here: a name where names are believed, a token where the
 * gateway wants one.
 *
 * A name is kept in this browser. A token is kept nowhere but in the memory of this page:
 * it is asked for, or comes in the address as #token=TOKEN&room=NAME. From there it is
 * taken at once, so that it is in no history and in no link that is passed on.
 */
const $ = (id) => document.getElementById(id);
const NAME_MAX = 64; /* bytes */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/; /* a JWT in its compact form */

/* What is wrong with the name of a person or a room, '' for nothing. */
export function problemOf(name) {
	if (new TextEncoder().encode(name).length > NAME_MAX) return 'This name is too long.';
	if (/[\p{Cc}\p{Cs}]/u.test(name)) return 'This name has characters that cannot be shown.';
	return '';
}

/* The room of the address, '' for none, and the token, which is then gone from there. */
export function fromAddress() {
	const fragment = location.hash.slice(1);
	if (fragment.startsWith('token=')) {
		const given = new URLSearchParams(fragment), room = given.get('room') ?? '';
		history.replaceState(null, '', `#${encodeURIComponent(room)}`);
		return { room, token: given.get('token') };
	}
	try {
		return { room: decodeURIComponent(fragment), token: '' };
	} catch {
		return { room: '', token: '' };
	}
}

/* A dialog for a name, or for a token where `open` is false. */
export class Who {
	constructor(open) {
		this.open = open;
		for (const warning of document.querySelectorAll('.unproven')) warning.hidden = !open;
		if (open) return;
		$('who-label').textContent = 'Your token';
		Object.assign($('who-name'), { type: 'password', autocomplete: 'off' });
		$('who-name').removeAttribute('maxlength');
	}

	problem(given) {
		if (!given) return 'Write something here, please.';
		if (this.open) return problemOf(given);
		return TOKEN.test(given) ? '' : 'This is not a token: three parts with dots between them.';
	}

	/* -> promise of what was entered, '' when it was cancelled. */
	ask(title, { value = '', canCancel = false } = {}) {
		const dialog = $('who');
		if (dialog.open) return Promise.resolve('');
		$('who-title').textContent = title;
		$('who-problem').textContent = '';
		$('who-cancel').hidden = !canCancel;
		$('who-name').value = value;
		dialog.returnValue = '';
		dialog.showModal();
		return new Promise((resolve) => {
			dialog.oncancel = (event) => {
				if (!canCancel) event.preventDefault();
			};
			dialog.onclose = () => resolve(this.taken());
			$('who-cancel').onclick = () => dialog.close('');
			$('who-form').onsubmit = (event) => {
				event.preventDefault();
				const problem = this.problem($('who-name').value.trim());
				$('who-problem').textContent = problem;
				if (!problem) dialog.close('entered');
			};
		});
	}

	/* Nothing of a token stays in the page's elements. */
	taken() {
		const given = $('who').returnValue ? $('who-name').value.trim() : '';
		if (!this.open) $('who-name').value = '';
		return given;
	}
}
