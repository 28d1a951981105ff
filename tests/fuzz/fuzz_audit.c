/* fuzz_audit - whatever bytes stand for the kernel's, the list stays what it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "healthd/audit_list.h"

static void take_lines(struct audit_list *list, const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char *rest = text, *line;

	CHECK(text);
	memcpy(text, data, size);
	text[size] = 0;
	while ((line = strsep(&rest, "\n")) != NULL)
		CHECK(audit_take_proc(list, line) == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit_list list;

	audit_list_init(&list, 8080, NULL);
	if (size && *data & 1)
		take_lines(&list, data + 1, size - 1);
	else if (size)
		(void)audit_take_diag(&list, data + 1, size - 1);
	CHECK(list.n <= size && list.n_listeners <= AUDIT_LISTENERS_MAX);
	audit_list_sort(&list);
	for (size_t i = 1; i < list.n; i++)
		CHECK(list.inodes[i - 1] < list.inodes[i]);
	audit_list_release(&list);
	return 0;
}
