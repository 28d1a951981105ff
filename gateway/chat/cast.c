#include "gateway/chat/cast.h"

#include <string.h>

#include "common/check.h"

_Static_assert((int)ROOM_NAME_MAX == 64 && (int)USER_NAME_MAX == 64,
	       "a name's length and its flag fit a byte");

enum {
	NAME_FLAG = 0x80
};

/* ---- writing -------------------------------------------------------------------- */

void cast_begin(struct cast_out *cast, enum cast_kind kind, uint8_t flags)
{
	cast->bytes[0] = (uint8_t)kind;
	cast->bytes[1] = flags;
	cast->len = 2;
}

void cast_flag(struct cast_out *cast, uint8_t flag)
{
	cast->bytes[1] |= flag;
}

bool cast_put_name(struct cast_out *cast, struct text name, bool flag)
{
	CHECK(name.len >= 1 && name.len <= ROOM_NAME_MAX);
	if (sizeof cast->bytes - cast->len < 1 + name.len)
		return false;
	cast->bytes[cast->len++] = (uint8_t)(name.len | (flag ? NAME_FLAG : 0));
	memcpy(cast->bytes + cast->len, name.at, name.len);
	cast->len += name.len;
	return true;
}

bool cast_put_number(struct cast_out *cast, uint32_t number)
{
	if (sizeof cast->bytes - cast->len < sizeof number)
		return false;
	memcpy(cast->bytes + cast->len, &number, sizeof number);
	cast->len += sizeof number;
	return true;
}

/* ---- reading -------------------------------------------------------------------- */

bool cast_read(struct cast_in *cast, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	if (len < 2 || bytes[0] < CAST_CHANGES || bytes[0] > CAST_COUNTED)
		return false;
	cast->kind = (enum cast_kind)bytes[0];
	cast->flags = bytes[1];
	cast->at = bytes + 2;
	cast->end = bytes + len;
	return true;
}

bool cast_next_name(struct cast_in *cast, struct text *ret_name, bool *ret_flag)
{
	uint32_t len;

	if (cast->at == cast->end)
		return false;
	len = *cast->at & (NAME_FLAG - 1);
	if (len < 1 || len > ROOM_NAME_MAX || (size_t)(cast->end - cast->at) < 1 + len)
		return false;
	*ret_flag = *cast->at & NAME_FLAG;
	*ret_name = (struct text){ (const char *)cast->at + 1, len };
	cast->at += 1 + len;
	return true;
}

bool cast_next_number(struct cast_in *cast, uint32_t *ret_number)
{
	if ((size_t)(cast->end - cast->at) < sizeof *ret_number)
		return false;
	memcpy(ret_number, cast->at, sizeof *ret_number);
	cast->at += sizeof *ret_number;
	return true;
}
