/*
 * page_people.js - who is in a room and who is writing, as far as the gateway tells.
 */

const WRITING_MS = 4000; /* told again at least that often while it goes on */

export class People {
	/* changed() is called after each change. */
	constructor(room, changed) {
		Object.assign(this, { room, changed });
		this.users = new Set();
		this.writing = new Map(); /* name -> timer that ends it */
		this.known = false;
		this.count = this.more = 0;
		room.on('joined', () => this.ask());
		room.on('presence', (told) => this.heard(told));
		room.on('typing', ({ from }) => this.writes(from));
		room.on('message', ({ from }) => this.stops(from));
	}

	names() {
		return [...this.users].sort((a, b) => a.localeCompare(b));
	}

	typing() {
		return [...this.writing.keys()];
	}

	async ask() {
		try {
			const answer = await this.room.who();
			this.users = new Set(answer.members.map((member) => member.user ?? member));
			this.count = Math.max(answer.count ?? 0, this.users.size);
			this.more = this.count - this.users.size;
			this.known = true;
		} catch {
			this.known = false; /* lost again, or an older gateway */
		}
		this.changed();
	}

	heard({ joined = [], left = [], count }) {
		for (const user of joined) this.users.add(user);
		for (const user of left) {
			this.users.delete(user);
			this.stops(user);
		}
		this.count = Math.max(count ?? 0, this.users.size);
		this.more = this.count - this.users.size;
		this.changed();
	}

	writes(user) {
		clearTimeout(this.writing.get(user));
		this.writing.set(user, setTimeout(() => this.stops(user), WRITING_MS));
		this.changed();
	}

	stops(user) {
		if (!this.writing.has(user)) return;
		clearTimeout(this.writing.get(user));
		this.writing.delete(user);
		this.changed();
	}
}
