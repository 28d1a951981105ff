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
		room.on('typing', ({ user, active }) => (active ? this.writes(user) : this.stops(user)));
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
			const { users, total } = await this.room.who();
			this.users = new Set(users);
			this.counted(total);
			this.known = true;
		} catch {
			this.known = false; /* lost again */
		}
		this.changed();
	}

	/* In large rooms not everybody is named. */
	counted(n) {
		this.count = Math.max(n, this.users.size);
		this.more = this.count - this.users.size;
	}

	heard({ joined, left, members }) {
		for (const user of joined) this.users.add(user);
		for (const user of left) {
			this.users.delete(user);
			this.stops(user);
		}
		this.counted(members);
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
