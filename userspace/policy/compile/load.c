// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile/compile.h"

#define TRIES	3

static struct pol_image *load_file(int fd, size_t size, const char *path, struct pol_err *e)
{
	void *map = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	struct pol_image *p;

	if (map == MAP_FAILED) {
		pol_fail(e, EINVAL, "%s: empty or unreadable", path);
		return NULL;
	}
	p = pol_image_parse(map, size, e);
	munmap(map, size);
	return p;
}

/* A sheet that goes while the directory is read is not missed: it is read again. */
static struct pol_image *load_directory(const char *path, struct pol_err *e)
{
	struct pol_image *p = NULL;
	int i, ret = -ENOENT;
	struct m_model m;

	for (i = 0; ret == -ENOENT && i < TRIES; i++) {
		ret = model_init(&m) ? pol_fail(e, ENOMEM, "out of memory") :
				       model_load(&m, path, e);
		if (!ret)
			p = pol_compile(&m, e);
		model_free(&m);
	}
	return p;
}

struct pol_image *pol_load(const char *path, struct pol_err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct pol_image *p = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		pol_fail(e, errno, "%s: %m: give a directory of sheets or a compiled policy",
			 path);
	} else if (S_ISREG(st.st_mode)) {
		p = load_file(fd, st.st_size, path, e);
	} else {
		p = load_directory(path, e);
	}
	if (fd >= 0)
		close(fd);
	return p;
}
