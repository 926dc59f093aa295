/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading /proc, /sys and /dev, and the processor itself.  All goes through observe(), so
 * that it can be recorded.
 */
#ifndef USERSPACE_SYSFILE_H
#define USERSPACE_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/** sysfile_given() - a file that the user names, as sysfile_read(); not observed */
char *sysfile_given(size_t *len, const char *path);

/** sysfile_line() - the first line without its newline, to be freed, or NULL */
char *sysfile_line(const char *path, ...) __attribute__((format(printf, 1, 2)));

/** sysfile_exists() */
bool sysfile_exists(const char *path, ...) __attribute__((format(printf, 1, 2)));

/** sysfile_usable() - may a file be read and written?  If not, errno says why */
bool sysfile_usable(const char *path);

/** sysfile_names() - what a directory has, a line each, to be freed; NULL if there is none */
char *sysfile_names(const char *path);

/** sysfile_head() - the first 256 bytes of a file, as sysfile_read() */
char *sysfile_head(size_t *len, const char *path, ...) __attribute__((format(printf, 2, 3)));

/** sysfile_entries() - how many a directory has; 0 if there is none */
unsigned int sysfile_entries(const char *path);

/** sysfile_program() - where PATH has a program, to be freed, or NULL */
char *sysfile_program(const char *name);

/** sysfile_msr() - a CPU's model-specific register, by the module msr; 0 without it */
bool sysfile_msr(unsigned int cpu, uint32_t msr, uint64_t *val);

/** sysfile_cpuid() - EAX to EDX of a leaf on a CPU */
void sysfile_cpuid(unsigned int cpu, uint32_t leaf, uint32_t sub, uint32_t regs[4]);

/** sysfile_path() - the path with the root before it, to be freed */
char *sysfile_path(const char *path, ...) __attribute__((format(printf, 1, 2)));

#endif /* USERSPACE_SYSFILE_H */
