// SPDX-License-Identifier: GPL-2.0
/* A directory that stands for /proc and /sys. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "userspace/cli/sysfile.h"
#include "tests.h"

static char root[64];

void tree_make(void)
{
	strcpy(root, "/tmp/unit-underpin.XXXXXX");
	assert_non_null(mkdtemp(root));
	sysfile_root = root;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tree_remove(void)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	sysfile_root = "";
}

/* The path in the file system, with all directories above it made. */
static char *place(const char *path)
{
	char *full, *p;

	assert_true(asprintf(&full, "%s%s", root, path) > 0);
	for (p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(full, 0700);
		*p = '/';
	}
	return full;
}

void tree_file(const char *path, const void *data, size_t len)
{
	char *full = place(path);
	FILE *out = fopen(full, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, len, out), len);
	fclose(out);
	free(full);
}

void tree_text(const char *path, const char *text)
{
	tree_file(path, text, strlen(text));
}

void tree_link(const char *path, const char *target)
{
	char *full = place(path);

	assert_int_equal(symlink(target, full), 0);
	free(full);
}
