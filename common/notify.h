/*
 * notify - tells the service manager how we are (sd_notify), without its library.
 *
 * One datagram to the socket that NOTIFY_SOCKET names: a path, or `@name` in the
 * abstract namespace. Never blocks.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

/*
 * Sends lines of NAME=value ("READY=1\nSTATUS=serving"). 1 when sent; 0 when there is
 * no NOTIFY_SOCKET; -EINVAL for one that is neither a path nor abstract, -ENAMETOOLONG;
 * -EAGAIN when the manager's queue is full (try again later); what socket(2) and
 * sendto(2) say.
 */
int notify_send(const char *state);

#endif
