#include "common/why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void why_write(struct why *why, const char *format, ...)
{
	int saved_errno = errno;
	va_list args;

	if (!why)
		return;
	va_start(args, format);
	vsnprintf(why->text, sizeof why->text, format, args);
	va_end(args);
	errno = saved_errno;
}
