// SPDX-License-Identifier: GPL-2.0
/* Reading /proc, /sys and /dev, and the processor itself. */
#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "userspace/cli/observe.h"
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

char *sysfile_given(size_t *len, const char *path)
{
	return slurp(path, len);
}

/* The file that a key names, behind its first word if it has several. */
static char *key_path(const char *key)
{
	const char *path = strchr(key, ' ');

	return sysfile_path("%s", path ? path + 1 : key);
}

static char *look_file(const char *key, size_t *len)
{
	char *path = key_path(key), *text = slurp(path, len);

	free(path);
	return text;
}

static char *look_exists(const char *key, size_t *len)
{
	char *path = key_path(key);
	bool yes = !access(path, F_OK);

	free(path);
	*len = 0;
	return yes ? strdup("") : NULL;
}

static char *look_usable(const char *key, size_t *len)
{
	char *path = key_path(key);
	bool yes = !access(path, R_OK | W_OK);
	int err = errno;

	free(path);
	*len = 0;
	errno = err;
	return yes ? strdup("") : NULL;
}

static char *vsee(size_t *len, observe_look *look, const char *fmt, va_list args)
{
	char *key, *data;
	int err;

	if (vasprintf(&key, fmt, args) < 0)
		abort();
	data = observe(key, len, look);
	err = errno;
	free(key);
	errno = err;
	return data;
}

static char *see(size_t *len, observe_look *look, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static char *see(size_t *len, observe_look *look, const char *fmt, ...)
{
	va_list args;
	char *data;

	va_start(args, fmt);
	data = vsee(len, look, fmt, args);
	va_end(args);
	return data;
}

char *sysfile_read(size_t *len, const char *fmt, ...)
{
	size_t ignored;
	va_list args;
	char *text;

	va_start(args, fmt);
	text = vsee(len ? len : &ignored, look_file, fmt, args);
	va_end(args);
	return text;
}

char *sysfile_line(const char *fmt, ...)
{
	va_list args;
	size_t len;
	char *text;

	va_start(args, fmt);
	text = vsee(&len, look_file, fmt, args);
	va_end(args);
	if (text)
		text[strcspn(text, "\n")] = 0;
	return text;
}

bool sysfile_exists(const char *fmt, ...)
{
	va_list args;
	char *path, *data;
	size_t len;

	va_start(args, fmt);
	if (vasprintf(&path, fmt, args) < 0)
		abort();
	va_end(args);
	data = see(&len, look_exists, "exists %s", path);
	free(path);
	free(data);
	return data;
}

bool sysfile_usable(const char *path)
{
	size_t len;
	char *data = see(&len, look_usable, "usable %s", path);
	int err = errno;

	free(data);
	errno = err;
	return data;
}

static char *look_names(const char *key, size_t *len)
{
	char *path = key_path(key), *text = NULL;
	DIR *dir = opendir(path);
	struct dirent *d;
	FILE *out;

	free(path);
	if (!dir)
		return NULL;
	out = open_memstream(&text, len);
	if (!out)
		abort();
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			fprintf(out, "%s\n", d->d_name);
	closedir(dir);
	if (fclose(out))
		abort();
	return text;
}

char *sysfile_names(const char *path)
{
	size_t len;

	return see(&len, look_names, "names %s", path);
}

unsigned int sysfile_entries(const char *path)
{
	char *names = sysfile_names(path), *at = names;
	unsigned int n = 0;

	while (at && (at = strchr(at, '\n'))) {
		at++;
		n++;
	}
	free(names);
	return n;
}

#define HEAD_MAX	256

static char *look_head(const char *key, size_t *len)
{
	char *text = look_file(key, len);

	if (text && *len > HEAD_MAX) {
		*len = HEAD_MAX;
		text[HEAD_MAX] = 0;
	}
	return text;
}

char *sysfile_head(size_t *len, const char *fmt, ...)
{
	char *path, *data;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&path, fmt, args) < 0)
		abort();
	va_end(args);
	data = see(len, look_head, "head %s", path);
	free(path);
	return data;
}

static char *look_program(const char *key, size_t *len)
{
	const char *name = strchr(key, ' ') + 1, *path = getenv("PATH"), *dir;
	char *copy = strdup(path ? path : "/usr/bin:/bin"), *rest = copy, *file = NULL;

	while (!file && (dir = strsep(&rest, ":"))) {
		*len = asprintf(&file, "%s/%s", *dir ? dir : ".", name);
		if (access(file, X_OK)) {
			free(file);
			file = NULL;
		}
	}
	free(copy);
	return file;
}

char *sysfile_program(const char *name)
{
	size_t len;

	return see(&len, look_program, "program %s", name);
}

static char *look_msr(const char *key, size_t *len)
{
	unsigned int cpu, msr;
	uint64_t val;
	char *path, *text = NULL;
	int fd;

	if (sscanf(key, "msr %u %x", &cpu, &msr) != 2)
		abort();
	path = sysfile_path("/dev/cpu/%u/msr", cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return NULL;
	if (pread(fd, &val, sizeof(val), msr) == sizeof(val))
		*len = asprintf(&text, "%#" PRIx64, val);
	close(fd);
	return text;
}

bool sysfile_msr(unsigned int cpu, uint32_t msr, uint64_t *val)
{
	size_t len;
	char *text = see(&len, look_msr, "msr %u %#x", cpu, msr);

	*val = text ? strtoull(text, NULL, 16) : 0;
	free(text);
	return text;
}

static char *look_cpuid(const char *key, size_t *len)
{
	unsigned int cpu, leaf, sub, a, b, c, d;
	cpu_set_t old, one;
	char *text;

	if (sscanf(key, "cpuid %u %x %x", &cpu, &leaf, &sub) != 3)
		abort();
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_getaffinity(0, sizeof(old), &old))
		CPU_ZERO(&old);
	sched_setaffinity(0, sizeof(one), &one);	/* if it fails, any CPU answers */
	__cpuid_count(leaf, sub, a, b, c, d);
	sched_setaffinity(0, sizeof(old), &old);
	*len = asprintf(&text, "%08x %08x %08x %08x", a, b, c, d);
	return text;
}

void sysfile_cpuid(unsigned int cpu, uint32_t leaf, uint32_t sub, uint32_t regs[4])
{
	size_t len;
	char *text = see(&len, look_cpuid, "cpuid %u %#x %#x", cpu, leaf, sub);

	if (!text || sscanf(text, "%x %x %x %x", &regs[0], &regs[1], &regs[2], &regs[3]) != 4)
		memset(regs, 0, 4 * sizeof(*regs));
	free(text);
}
