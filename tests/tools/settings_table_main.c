/* settings_table - prints the table of settings that stands in the README. */
#include <stdio.h>

#include "common/settings.h"

int main(void)
{
	settings_markdown(stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
