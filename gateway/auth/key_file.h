/*
 * key_file - a file with keys, and the copy of it that children inherit.
 */
#ifndef KEY_FILE_H
#define KEY_FILE_H

#include "common/why.h"
#include "gateway/auth/keys.h"

/* Reads and checks a file as auth_read_keys has it; NULL: the copy is empty. */
int key_file_copy(const char *path, int *ret_fd, struct why *why);

/* The keys of such a copy, read from its start; the descriptor stays the caller's. */
int key_file_read_copy(int fd, struct keys **ret_keys, struct why *why);

#endif
