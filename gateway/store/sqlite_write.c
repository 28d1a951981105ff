#include "gateway/store/sqlite_write.h"

#include <errno.h>
#include <string.h>

#include "gateway/breaks.h"

enum {
	LOG_PAGES_MAX = 8192, /* 32 MiB */
};

static const char commit[] = "COMMIT";

static int begin(struct db *db)
{
	static const char sql[] = "BEGIN IMMEDIATE";

	if (PARLEY_BREAK_ack_before_commit)
		(void)db_execute(db, db_statement(db, commit));
	return db_execute(db, db_statement(db, sql));
}

/* Commits when what was done before went well, else rolls back. */
static int end(struct db *db, int r)
{
	if (r == 0 && PARLEY_BREAK_ack_before_commit)
		return 0;
	if (r == 0) {
		r = db_execute(db, db_statement(db, commit));
		/* What could not be flushed may be there after a crash all the same. */
		if (r == -EIO)
			r = -ENOTCONN;
	}
	if (r < 0)
		db_roll_back(db);
	return r;
}

/* ---- a batch ---- */

/* The rooms of a batch, found by name. */
struct batch_room {
	struct text name;
	int64_t room_id;
	uint64_t head;
	bool changed;
};

enum {
	PLACES = 2 * STORE_BATCH_MAX, /* a power of two, never more than half full */
};

struct batch {
	struct db *db;
	struct batch_room rooms[PLACES];
};

static uint32_t hash(struct text text)
{
	uint32_t h = 2166136261; /* FNV-1a; who makes names collide gains 256 steps */

	for (uint32_t i = 0; i < text.len; i++)
		h = (h ^ (uint8_t)text.at[i]) * 16777619;
	return h;
}

static bool equal(struct text a, struct text b)
{
	return a.len == b.len && !memcmp(a.at, b.at, a.len);
}

/* 1: the room is there; 0: never heard of it. */
static int load_room(struct db *db, struct batch_room *room)
{
	static const char sql[] = "SELECT room_id, head FROM rooms WHERE name = ?1";
	struct sqlite3_stmt *s = db_statement(db, sql);
	int r;

	db_bind_text(s, 1, room->name);
	r = db_step(db, s);
	if (r == 1) {
		room->room_id = db_number(s, 0);
		room->head = (uint64_t)db_number(s, 1);
		db_done(s);
	}
	return r;
}

static int make_room(struct db *db, struct batch_room *room)
{
	static const char sql[] =
		"INSERT INTO rooms (name, head, first) VALUES (?1, 0, 1)";
	struct sqlite3_stmt *s = db_statement(db, sql);
	int r;

	db_bind_text(s, 1, room->name);
	r = db_execute(db, s);
	room->room_id = db_last_row(db);
	room->head = 0;
	return r;
}

static int find_room(struct batch *batch, struct text name, struct batch_room **ret_room)
{
	uint32_t place = hash(name) % PLACES;
	struct batch_room *room;
	int r;

	while ((room = &batch->rooms[place])->name.at && !equal(room->name, name))
		place = (place + 1) % PLACES;
	*ret_room = room;
	if (room->name.at)
		return 0;
	room->name = name;
	r = load_room(batch->db, room);
	if (r == 0)
		return make_room(batch->db, room);
	return r < 0 ? r : 0;
}

/* The first one's seq and time, of a message that is there already. */
static int find_first(struct db *db, const struct batch_room *room,
		      struct store_send *send)
{
	static const char sql[] =
		"SELECT seq, at_ms FROM messages"
		" WHERE room_id = ?1 AND sender = ?2 AND client_id = ?3";
	struct sqlite3_stmt *s = db_statement(db, sql);
	int r;

	db_bind_number(s, 1, room->room_id);
	db_bind_text(s, 2, send->message.from);
	db_bind_text(s, 3, send->message.id);
	r = db_step(db, s);
	if (r <= 0)
		return r < 0 ? r : -EIO; /* a sequence above the head: damaged */
	send->message.seq = (uint64_t)db_number(s, 0);
	send->message.at_ms = db_number(s, 1);
	send->repeat = true;
	db_done(s);
	return 0;
}

static int put_message(struct db *db, struct batch_room *room, struct store_send *send,
		       int64_t now_ms)
{
	static const char sql[] = "INSERT OR IGNORE INTO messages"
				  " (room_id, seq, at_ms, sender, client_id, body)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
	struct sqlite3_stmt *s = db_statement(db, sql);
	struct message *m = &send->message;
	int r;

	db_bind_number(s, 1, room->room_id);
	db_bind_number(s, 2, (int64_t)room->head + 1);
	db_bind_number(s, 3, now_ms);
	db_bind_text(s, 4, m->from);
	db_bind_text(s, 5, m->id);
	db_bind_text(s, 6, m->body);
	r = db_execute(db, s);
	if (r < 0)
		return r;
	if (db_n_changed(db) == 0)
		return find_first(db, room, send);
	m->seq = ++room->head;
	m->at_ms = now_ms;
	send->repeat = false;
	room->changed = true;
	return 0;
}

static int put_heads(struct batch *batch)
{
	static const char sql[] = "UPDATE rooms SET head = ?2 WHERE room_id = ?1";
	struct sqlite3_stmt *s = db_statement(batch->db, sql);
	int r = 0;

	for (unsigned i = 0; i < PLACES && r == 0; i++) {
		if (!batch->rooms[i].changed)
			continue;
		db_bind_number(s, 1, batch->rooms[i].room_id);
		db_bind_number(s, 2, (int64_t)batch->rooms[i].head);
		r = db_execute(batch->db, s);
	}
	return r;
}

int write_batch(struct db *db, struct store_send *sends, unsigned n, int64_t now_ms)
{
	struct batch batch = { .db = db };
	struct batch_room *room;
	int r = begin(db);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < n && r == 0; i++) {
		r = find_room(&batch, sends[i].message.room, &room);
		if (r == 0)
			r = put_message(db, room, &sends[i], now_ms);
	}
	if (r == 0)
		r = put_heads(&batch);
	return end(db, r);
}

/* ---- the rest ---- */

int write_probe(struct db *db, int64_t now_ms)
{
	static const char sql[] =
		"INSERT OR REPLACE INTO probe (id, at_ms) VALUES (1, ?1)";
	struct sqlite3_stmt *s;
	int r = begin(db);

	if (r < 0)
		return r;
	s = db_statement(db, sql);
	db_bind_number(s, 1, now_ms);
	return end(db, db_execute(db, s));
}

void write_log_back(struct db *db)
{
	unsigned n = db_n_log_pages(db);

	/* Readers that never pause keep the log from beginning anew: wait for them once
	 * it is far too long. */
	if (n > LOG_PAGES_MAX)
		(void)db_checkpoint(db, n > 8 * LOG_PAGES_MAX);
}

/* ---- trimming ---- */

struct trimmed {
	int64_t room_id;
	int64_t head, first;
	int64_t last; /* newest that goes; first - 1: none does */
};

static int take_room(struct db *db, struct sqlite3_stmt *s, struct trimmed *room)
{
	int r = db_step(db, s);

	if (r == 1) {
		room->room_id = db_number(s, 0);
		room->head = db_number(s, 1);
		room->first = db_number(s, 2);
		db_done(s);
	}
	return r;
}

static int next_room(struct db *db, int64_t after, struct trimmed *room)
{
	static const char sql[] = "SELECT room_id, head, first FROM rooms"
				  " WHERE room_id > ?1 ORDER BY room_id LIMIT 1";
	struct sqlite3_stmt *s = db_statement(db, sql);

	db_bind_number(s, 1, after);
	return take_room(db, s, room);
}

static int named_room(struct db *db, const char *name, struct trimmed *room)
{
	static const char sql[] = "SELECT room_id, head, first FROM rooms"
				  " WHERE name = ?1";
	struct sqlite3_stmt *s = db_statement(db, sql);

	db_bind_text(s, 1, (struct text){ name, (uint32_t)strlen(name) });
	return take_room(db, s, room);
}

/* From the oldest on, up to the first that may stay. */
static int choose(struct db *db, struct trimmed *room, int64_t old_ms, int64_t old_seq)
{
	static const char sql[] =
		"SELECT seq, at_ms FROM messages"
		" WHERE room_id = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
	struct sqlite3_stmt *s = db_statement(db, sql);
	int r;

	db_bind_number(s, 1, room->room_id);
	db_bind_number(s, 2, room->first);
	db_bind_number(s, 3, TRIM_ROWS_MAX);
	room->last = room->first - 1;
	while ((r = db_step(db, s)) == 1) {
		if (db_number(s, 0) > old_seq && db_number(s, 1) >= old_ms) {
			db_done(s);
			return 0;
		}
		room->last = db_number(s, 0);
	}
	return r;
}

static int take_away(struct db *db, const struct trimmed *room)
{
	static const char messages[] = "DELETE FROM messages"
				       " WHERE room_id = ?1 AND seq <= ?2";
	static const char first[] = "UPDATE rooms SET first = ?2 WHERE room_id = ?1";
	struct sqlite3_stmt *s;
	int r = begin(db);

	if (r < 0)
		return r;
	s = db_statement(db, messages);
	db_bind_number(s, 1, room->room_id);
	db_bind_number(s, 2, room->last);
	r = db_execute(db, s);
	if (r == 0) {
		s = db_statement(db, first);
		db_bind_number(s, 1, room->room_id);
		db_bind_number(s, 2, room->last + 1);
		r = db_execute(db, s);
	}
	return end(db, r);
}

int write_trim(struct db *db, struct write_trim *trim, uint64_t retain_ms,
	       uint64_t retain_count, int64_t now_ms)
{
	int64_t old_ms = retain_ms ? now_ms - (int64_t)retain_ms : INT64_MIN;
	struct trimmed room = { 0 };
	int r = next_room(db, trim->room_id, &room);

	if (r <= 0) {
		trim->room_id = 0;
		return r;
	}
	r = choose(db, &room, old_ms,
		   retain_count ? room.head - (int64_t)retain_count : INT64_MIN);
	if (r == 0 && room.last >= room.first)
		r = take_away(db, &room);
	if (r < 0)
		return r;
	if (room.last - room.first + 1 < TRIM_ROWS_MAX)
		trim->room_id = room.room_id;
	return 1;
}

int write_trim_room(struct db *db, const char *name, uint64_t retain_count)
{
	struct trimmed room = { 0 };
	int r = named_room(db, name, &room);

	if (r <= 0)
		return r;
	r = choose(db, &room, INT64_MIN, room.head - (int64_t)retain_count);
	if (r == 0 && room.last >= room.first)
		r = take_away(db, &room);
	if (r < 0)
		return r;
	return room.last - room.first + 1 == TRIM_ROWS_MAX;
}
