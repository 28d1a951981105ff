#include "gateway/store/postgres_sql.h"

#include <stddef.h>

#include "gateway/breaks.h"

/* Generic plans, and never by reading a whole table: planned anew when a table is young
 * and looks small, batches are ten times slower. A commit that is not flushed is not
 * what `sent` promises; `local` and the like are about standbys and left alone. */
const char pgsql_settings[] =
	"select current_setting('server_encoding'), pg_is_in_recovery(),"
	" set_config('search_path', 'parley', false),"
	" set_config('plan_cache_mode', 'force_generic_plan', false),"
	" set_config('enable_seqscan', 'off', false),"
	" set_config('jit', 'off', false),"
	" set_config('default_transaction_isolation', 'read committed', false),"
	" set_config('synchronous_commit', case current_setting('synchronous_commit')"
	"  when '" BREAK_SYNCHRONOUS_FROM "' then '" BREAK_SYNCHRONOUS_TO "'"
	"  else current_setting('synchronous_commit') end, false)";

/* ---- the schema ---- */

const char pgsql_begin[] = "begin";
const char pgsql_commit[] = "commit";
/* The number is "parley" in ASCII. */
const char pgsql_alone[] = "select pg_advisory_xact_lock(123563833845113)";
/* `create schema if not exists` wants the right to make one even if it exists. */
const char pgsql_version_make[] =
	"do $$ begin"
	" if to_regnamespace('parley') is null then create schema parley; end if;"
	" if to_regclass('parley.version') is null then"
	"  create table parley.version(version bigint not null);"
	"  insert into parley.version values (0);"
	" end if;"
	" end $$";
const char pgsql_version[] = "select version from parley.version";
const char pgsql_version_next[] = "update parley.version set version = version + 1";

/* The row of a room is written at each batch: half of its page is for new versions, so
 * that no index is touched. Text is compared by its bytes. */
static const char *const to_1[] = {
	"create table rooms("
	" id bigint generated always as identity primary key,"
	" name text collate \"C\" not null unique,"
	" head bigint not null default 0,"
	" first bigint not null default 1) with (fillfactor = 50)",
	"create table messages("
	" room_id bigint not null,"
	" seq bigint not null,"
	" at timestamptz not null,"
	" sender text collate \"C\" not null,"
	" client_id text collate \"C\" not null,"
	" body text not null,"
	" primary key (room_id, seq)" MESSAGES_UNIQUE ")",
	"create table probe(id bigint primary key, at timestamptz not null)", NULL
};

const char *const *const pgsql_migrations[PGSQL_VERSION] = { to_1 };

/* ---- statements ---- */

/* What a page holds: `messages` between two bounds, from one end, up to so many bytes;
 * the first in any case. One statement sees one moment. */
#define PAGE(ORDER)                                                                \
	"select r.head, r.first, m.seq, m.at, m.sender, m.client_id, m.body"       \
	" from (select id, head, first from rooms where name = $1::text) r"        \
	" left join lateral (select * from ("                                      \
	"  select p.*, row_number() over w as nth,"                                \
	"   sum(octet_length(p.body)) over w as bytes"                             \
	"  from (select * from messages where room_id = r.id and seq > $2::bigint" \
	"   and seq < $3::bigint order by seq " ORDER " limit $4::bigint) p"       \
	"  window w as (order by p.seq " ORDER ")) t"                              \
	" where nth = 1 or bytes <= $5::bigint) m on true order by m.seq"

const struct pgsql pgsql_statements[] = {
	/* In the order of their names: two that make the same rooms wait for each other
	 * on the unique index. */
	{ "make", "insert into rooms(name) select n from unnest($1::text[]) as n"
		  " order by n collate \"C\" on conflict do nothing" },
	{ "find", "select id, name from rooms where name = any($1::text[])" },

	/* Rooms are locked, numbered and filled in one statement. A message that was
	 * there already violates the unique index, and a room that is gone the not null:
	 * both roll all of it back. */
	{ "fast",
	  "with locked as materialized ("
	  "  select r.id, b.n, b.place from"
	  "   unnest($1::bigint[], $2::bigint[]) with ordinality as b(id, n, place)"
	  "   join rooms r on r.id = b.id order by r.id for update of r),"
	  " up as (update rooms set head = rooms.head + locked.n from locked"
	  "  where rooms.id = locked.id returning rooms.id, locked.place,"
	  "   rooms.head - locked.n as base, clock_timestamp() as at),"
	  " added as ("
	  "  insert into messages(room_id, seq, at, sender, client_id, body)"
	  "  select up.id, up.base + x.k, up.at, x.sender, x.client_id, x.body"
	  "  from unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[],"
	  "   $7::text[]) as x(place, k, sender, client_id, body)"
	  "  left join up on up.place = x.place)"
	  " select place, base, at from up" },

	/* A batch with a repeat. Two statements, so that the second sees what the lock of
	 * the first has waited for. */
	{ "lock",
	  "select 1 from rooms where id = any($1::bigint[]) order by id for update" },
	{ "slow",
	  "with x as materialized ("
	  "  select i.*, m.seq as was, m.at as was_at, row_number() over"
	  "   (partition by i.id, i.sender, i.client_id order by i.place) as nth"
	  "  from unnest($1::bigint[], $2::text[], $3::text[], $4::text[])"
	  "   with ordinality as i(id, sender, client_id, body, place)"
	  "  left join lateral (select seq, at from messages where room_id = i.id"
	  "   and sender = i.sender and client_id = i.client_id limit 1) m on true),"
	  " fresh as materialized ("
	  "  select x.*, row_number() over (partition by id order by place) as k"
	  "  from x where nth = 1 and was is null),"
	  " up as (update rooms set head = rooms.head + c.n"
	  "  from (select id, count(*) as n from fresh group by id) c"
	  "  where rooms.id = c.id"
	  "  returning rooms.id, rooms.head - c.n as base, clock_timestamp() as at),"
	  " added as ("
	  "  insert into messages(room_id, seq, at, sender, client_id, body)"
	  "  select up.id, up.base + f.k, up.at, f.sender, f.client_id, f.body"
	  "  from fresh f left join up on up.id = f.id"
	  "  returning room_id, seq, at, sender, client_id)"
	  " select coalesce(x.was, a.seq), coalesce(x.was_at, a.at),"
	  "  x.was is not null or x.nth > 1"
	  " from x left join added a on a.room_id = x.id and a.sender = x.sender"
	  "  and a.client_id = x.client_id order by x.place" },

	{ "head", "select head, first from rooms where name = $1::text" },
	{ "oldest", PAGE("") },
	{ "newest", PAGE("desc") },

	{ "probe", "insert into probe values (1, clock_timestamp())"
		   " on conflict (id) do update set at = excluded.at" },

	/* Of the next rooms by id: which have more than is kept. */
	{ "due", "select r.id, ($2::bigint > 0 and r.head - r.first >= $2)"
		 "  or ($3::bigint > 0 and exists (select from messages m"
		 "   where m.room_id = r.id and m.seq = r.first"
		 "   and m.at < now() - $3 * interval '1 millisecond'))"
		 " from rooms r where r.id > $1::bigint order by r.id limit $4::bigint" },
	/* The one room with a bound of its own. */
	{ "due_room", "select id, head - first >= $2::bigint from rooms"
		      " where name = $1::text" },
	/* After `lock`. From the first on, so that no hole comes to be: up to the count's
	 * bound, or to the first message that is young enough. */
	{ "trim",
	  "with bound as materialized (select r.id, r.first, r.head,"
	  "  least(r.first + $4::bigint, r.head + 1) as stop,"
	  "  case when $2::bigint > 0 then r.head - $2 + 1 else 0 end as by_count"
	  "  from rooms r where r.id = any($1::bigint[])),"
	  " keep as materialized (select b.id, b.first, b.stop,"
	  "  least(b.stop, greatest(b.first, b.by_count,"
	  "   case when $3::bigint > 0 then coalesce((select m.seq from messages m"
	  "    where m.room_id = b.id and m.seq >= b.first and m.seq < b.stop"
	  "    and m.at >= now() - $3 * interval '1 millisecond'"
	  "    order by m.seq limit 1), b.stop) else 0 end)) as upto from bound b),"
	  " gone as (delete from messages m using keep k where m.room_id = k.id"
	  "  and m.seq >= k.first and m.seq < k.upto)"
	  " update rooms set first = k.upto from keep k"
	  "  where rooms.id = k.id and k.upto > k.first" },
	{ NULL, NULL }
};
