/* SPDX-License-Identifier: GPL-2.0 */
/* Reading /proc, /sys and /dev. */
#ifndef USERSPACE_SYSFILE_H
#define USERSPACE_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>

/* Put before every path; tests point it at a directory of their own. */
extern const char *sysfile_root;

/**
 * sysfile_read() - a whole file, whatever size stat() claims
 * @path: printf format of an absolute path
 * @len: its length, or NULL
 *
 * Return: NUL-terminated contents to be freed, or NULL (errno says why).
 */
char *sysfile_read(size_t *len, const char *path, ...) __attribute__((format(printf, 2, 3)));

/** sysfile_line() - the first line without its newline, to be freed, or NULL */
char *sysfile_line(const char *path, ...) __attribute__((format(printf, 1, 2)));

/** sysfile_exists() */
bool sysfile_exists(const char *path, ...) __attribute__((format(printf, 1, 2)));

/** sysfile_path() - the path with the root before it, to be freed */
char *sysfile_path(const char *path, ...) __attribute__((format(printf, 1, 2)));

#endif /* USERSPACE_SYSFILE_H */
