// SPDX-License-Identifier: GPL-2.0
/* devcopy FROM TO: edu, whoever it belongs to, copies EDU_BYTES between two of its addresses. */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include "edu.h"

static uint64_t address(const char *text)
{
	char *end;
	uint64_t at;

	errno = 0;
	at = strtoull(text, &end, 16);
	if (errno || end == text || *end)
		errx(2, "'%s' is no address (hexadecimal)", text);
	return at;
}

int main(int argc, char **argv)
{
	char dir[EDU_DIR];
	uint64_t from, to;

	if (argc != 3)
		errx(2, "usage: devcopy FROM TO");
	from = address(argv[1]);
	to = address(argv[2]);
	if (!edu_find(dir))
		errx(1, "there is no edu in this machine");
	edu_use(dir);
	edu_copy(from, false);
	edu_copy(to, true);
	return 0;
}
