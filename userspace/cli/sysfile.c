// SPDX-License-Identifier: GPL-2.0
/* Reading /proc, /sys and /dev. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/cli/sysfile.h"

const char *sysfile_root = "";

static char *vpath(const char *fmt, va_list args)
{
	char *tail, *path;

	if (vasprintf(&tail, fmt, args) < 0)
		abort();
	if (asprintf(&path, "%s%s", sysfile_root, tail) < 0)
		abort();
	free(tail);
	return path;
}

char *sysfile_path(const char *fmt, ...)
{
	va_list args;
	char *path;

	va_start(args, fmt);
	path = vpath(fmt, args);
	va_end(args);
	return path;
}

static char *slurp(const char *path, size_t *len)
{
	FILE *in = fopen(path, "re"), *out;
	char chunk[4096], *text = NULL;
	size_t size, n;
	int err;

	if (!in)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		abort();
	while ((n = fread(chunk, 1, sizeof(chunk), in)))
		fwrite(chunk, 1, n, out);
	err = ferror(in) ? errno : 0;
	fclose(in);
	if (fclose(out))
		abort();
	if (err) {
		free(text);
		errno = err;
		return NULL;
	}
	if (len)
		*len = size;
	return text;
}

char *sysfile_read(size_t *len, const char *fmt, ...)
{
	char *path, *text;
	va_list args;

	va_start(args, fmt);
	path = vpath(fmt, args);
	va_end(args);
	text = slurp(path, len);
	free(path);
	return text;
}

char *sysfile_line(const char *fmt, ...)
{
	char *path, *text;
	va_list args;

	va_start(args, fmt);
	path = vpath(fmt, args);
	va_end(args);
	text = slurp(path, NULL);
	free(path);
	if (text)
		text[strcspn(text, "\n")] = 0;
	return text;
}

bool sysfile_exists(const char *fmt, ...)
{
	va_list args;
	char *path;
	bool yes;

	va_start(args, fmt);
	path = vpath(fmt, args);
	va_end(args);
	yes = !access(path, F_OK);
	free(path);
	return yes;
}
