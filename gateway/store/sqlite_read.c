#include "gateway/store/sqlite_read.h"

#include <errno.h>

static int find_room(struct db *db, const struct store_query *query,
		     struct page_builder *page, int64_t *ret_room_id)
{
	static const char sql[] =
		"SELECT room_id, head, first FROM rooms WHERE name = ?1";
	struct sqlite3_stmt *s = db_statement(db, sql);
	int r;

	db_bind_text(s, 1, query->room);
	r = db_step(db, s);
	if (r < 0)
		return r;
	page_begin(page, query, r ? (uint64_t)db_number(s, 1) : 0,
		   r ? (uint64_t)db_number(s, 2) : 1);
	if (r) {
		*ret_room_id = db_number(s, 0);
		db_done(s);
	}
	return 0;
}

static struct sqlite3_stmt *messages(struct db *db, const struct page_builder *page,
				     int64_t room_id)
{
	static const char oldest[] =
		"SELECT seq, at_ms, sender, client_id, body FROM messages"
		" WHERE room_id = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq";
	static const char newest[] =
		"SELECT seq, at_ms, sender, client_id, body FROM messages"
		" WHERE room_id = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq DESC";
	struct sqlite3_stmt *s = db_statement(db, page->query->newest ? newest : oldest);

	db_bind_number(s, 1, room_id);
	db_bind_number(s, 2, (int64_t)page->low);
	db_bind_number(s, 3, (int64_t)page->high);
	return s;
}

static int read_messages(struct db *db, struct page_builder *page, int64_t room_id)
{
	struct sqlite3_stmt *s = messages(db, page, room_id);
	int r;

	while ((r = db_step(db, s)) == 1) {
		struct message m = {
			.seq = (uint64_t)db_number(s, 0),
			.at_ms = db_number(s, 1),
			.from = db_text(s, 2),
			.id = db_text(s, 3),
			.body = db_text(s, 4),
		};

		if (!page_has_room(page, m.body.len))
			break;
		r = page_add(page, &m);
		if (r < 0)
			break;
	}
	if (r != 0)
		db_done(s);
	return r < 0 ? r : 0;
}

int read_page(struct db *db, const struct store_query *query, struct page_builder *page)
{
	static const char begin[] = "BEGIN", end[] = "COMMIT";
	int64_t room_id = 0;
	int r = db_execute(db, db_statement(db, begin));

	if (r < 0)
		return r;
	r = find_room(db, query, page, &room_id);
	if (r == 0 && query->limit > 0 && page->low <= page->high)
		r = read_messages(db, page, room_id);
	if (r == 0)
		r = db_execute(db, db_statement(db, end));
	if (r < 0)
		db_roll_back(db);
	return r;
}
