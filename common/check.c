#include "common/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void check_failed(const char *file, int line, const char *what)
{
	char text[256];
	int len = snprintf(text, sizeof text, "<2>check failed at=%s:%d what=\"%s\"\n",
			   file, line, what);

	if (len > (int)sizeof text - 1)
		len = (int)sizeof text - 1;
	/* The process ends here: nobody is left to act on a failed write. */
	if (write(STDERR_FILENO, text, (size_t)len) < 0)
		abort();
	abort();
}
