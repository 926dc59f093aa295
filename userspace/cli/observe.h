/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program has seen of a machine, to be seen again elsewhere: "underpin check" in a
 * file (underpin(8), REPORTS).  A key names what was looked at.
 */
#ifndef USERSPACE_OBSERVE_H
#define USERSPACE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>

/** observe_look - looks at a key; Return: NUL-terminated data to be freed, or NULL and errno */
typedef char *observe_look(const char *key, size_t *len);

/**
 * observe() - what is there to see under a key, now or when it was recorded
 * @key: what to look at; looked at once while recording
 * @len: the data's length
 *
 * Return: NUL-terminated data to be freed, or NULL and errno (ENODATA: not in the report).
 */
char *observe(const char *key, size_t *len, observe_look *look);

/** observe_record() - remember all that is seen from here on */
void observe_record(void);

/** observe_save() - write what was remembered.  Return: 0 or -1, said on stderr */
int observe_save(const char *path);

/** observe_replay() - see what a file says, and nothing else.  Return: 0 or -1, said */
int observe_replay(const char *path);

/** observe_replaying() - is only that seen which a file says? */
bool observe_replaying(void);

/** observe_forget() - see what is there again */
void observe_forget(void);

#endif /* USERSPACE_OBSERVE_H */
