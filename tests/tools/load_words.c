/* load_words - stdin as the end of a load, and as words that it obeys. */
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/tools/load.h"

void load_watch_stdin(struct load *load, void (*obey)(void *mode, const char *word))
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = load };

	load->obey = obey;
	/* A file cannot be watched: it has ended. */
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0)
		load->stop = true;
}

void load_read_stdin(struct load *load)
{
	char words[256], *rest = words;
	ssize_t len = read(STDIN_FILENO, words, sizeof(words) - 1);

	if (len > 0) {
		words[len] = 0;
		for (const char *word; (word = strsep(&rest, " \n"));)
			if (load->obey && *word)
				load->obey(load->mode, word);
		return;
	}
	load->stop = true;
	(void)epoll_ctl(load->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
}
