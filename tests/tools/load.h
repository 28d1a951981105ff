/*
 * load - many WebSocket clients in one process, on epoll.
 *
 * A link is dialled, shakes hands, is open and ends; a mode says what happens in
 * between through three events. Pings and Closes are answered here.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/wire/deflate.h"
#include "tests/tools/ws.h"

struct load;
struct dialect;

enum load_state {
	LOAD_GONE,
	LOAD_DIALLING, /* until the handshake is answered */
	LOAD_OPEN,
	LOAD_LEAVING, /* our Close is out */
	LOAD_CLOSED,  /* the server's Close came first */
};

enum load_end {
	LOAD_REFUSED, /* never open */
	LOAD_LOST,    /* ended by the server, with or without a Close */
	LOAD_LEFT,    /* ended as we wanted */
};

struct load_link {
	struct load *load;
	int fd;
	enum load_state state;
	struct ws_bytes rest, out; /* of a frame that is not whole; not yet sent */
	struct ws_bytes heard;     /* of the dialect's, if frames do not bound it */
	size_t allowance;          /* what it may still read; SIZE_MAX: all there is */
	unsigned close_code;       /* of the server's Close; 0 */
	/* These outlive the link: what it is dialled again with. */
	char session[33]; /* from the last welcome; "" */
	bool resumes;     /* load_join goes on after `seen` */
	uint64_t seen;    /* the mode's: newest sequence that it has */
};

struct load_events {
	void (*opened)(struct load_link *link);
	/* Text and binary ones. */
	void (*message)(struct load_link *link, const char *text, size_t len);
	/* Once for each load_dial that succeeded; the link may be dialled again. */
	void (*ended)(struct load_link *link, enum load_end end);
};

struct load {
	struct ws_address to;
	struct ws_address from;        /* --from; no length: the kernel's choice */
	const struct dialect *dialect; /* --dialect; NULL: parley */
	unsigned rate, in_flight;      /* --rate, --inflight; 0: none */
	const char *room;              /* --room; NULL: none */
	size_t body_bytes;             /* --bytes */
	bool reconnect;                /* --reconnect */
	bool hold;                     /* --hold */
	bool deflate;                  /* --deflate */
	struct inflater *inflater;     /* with it */
	int receive_bytes;  /* of a socket's receive buffer; 0: the kernel's choice */
	int epoll, signals; /* signals: TERM and INT */
	uint8_t *buffer;    /* what is read goes through it */
	void (*obey)(void *mode, const char *word);
	bool stop; /* a signal came, or stdin ended if it is watched */
	const struct load_events *on;
	void *mode;
};

int load_init(struct load *load);
void load_release(struct load *load);
/* `mode` is what the events find in load->mode. */
void load_begin(struct load *load, const struct load_events *on, void *mode);
/* Its end stops the load; `obey`, unless NULL, gets the words that come before. */
void load_watch_stdin(struct load *load, void (*obey)(void *mode, const char *word));
/* When there is something to read. */
void load_read_stdin(struct load *load);

/* As user u<number>. 0 or a negative errno; then no event follows. */
int load_dial(struct load *load, struct load_link *link, unsigned number);

/* Dials the links of an array that are gone, each once a round, some at a time. */
struct load_dialler {
	void *links; /* structures that begin with a load_link */
	size_t link_size;
	unsigned n_links, at_once;
	unsigned n_dialling, n_open; /* kept by the mode */
	unsigned next;               /* that was not looked at in this round */
	uint64_t round_at_ms;
};
void load_dial_gone(struct load *load, struct load_dialler *dialler);

enum {
	LOAD_RETRY_MS = 200 /* a round */
};

/* Queues a text message; load_flush sends what is queued. */
void load_send(struct load_link *link, const char *text, size_t len);
void load_flush(struct load_link *link);

/* Ways to go: with a Close (ended follows), with FIN, with a reset (ended at once). */
void load_close(struct load_link *link);
void load_hang_up(struct load_link *link);
void load_reset(struct load_link *link);

/* From now on it reads at most so much, until it is called again; SIZE_MAX when it was
 * dialled. One that reads nothing still notices a reset. */
void load_allow(struct load_link *link, size_t len);

/* At the end: frees what a link has; the kernel closes it. */
void load_forget(struct load_link *link);

/* Handles what is there, waiting for it at most so long. */
void load_turn(struct load *load, int timeout_ms);

/* How many links the descriptor limit allows. */
unsigned load_links_max(void);
/* The CPU time of this process so far. */
uint64_t load_cpu_ms(void);
uint64_t load_now_ms(void);

/* The number behind `name` ("\"seq\":"); 0 when it is not there. */
uint64_t load_number(const char *text, size_t len, const char *name);
/* Whether the message's op is this one. */
bool load_op_is(const char *text, size_t len, const char *op);
void load_join(struct load_link *link, const char *room);

/* The modes; each returns the exit code. */
int load_idle(struct load *load, const unsigned numbers[3]);
int load_storm(struct load *load, const unsigned numbers[3]);
int load_room(struct load *load, const unsigned numbers[3]);
int load_rooms(struct load *load, const unsigned numbers[3]);
int load_sends(struct load *load, const unsigned numbers[3]);
int load_resume(struct load *load, const unsigned numbers[3]);
int load_slow(struct load *load, const unsigned numbers[3]);
int load_crowd(struct load *load, const unsigned numbers[3]);

#endif
