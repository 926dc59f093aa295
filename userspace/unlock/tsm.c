// SPDX-License-Identifier: GPL-2.0
/* The kernel's configfs-tsm (Documentation/ABI/testing/configfs-tsm): 64 bytes in, a report out. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "userspace/attest/report.h"
#include "userspace/cli/cli.h"
#include "userspace/unlock/unlock.h"

_Static_assert(UNLOCK_PROOF == sizeof(struct up_vm_proof), "report and signature");

static int attribute(const char *entry, const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", entry, name);
	return open(path, flags | O_CLOEXEC);
}

/* An attribute takes its value in one write. */
static int put(const char *entry, const uint8_t asked[UNLOCK_ASKED])
{
	int fd = attribute(entry, "inblob", O_WRONLY);
	ssize_t n = -1;

	if (fd >= 0) {
		n = write(fd, asked, UNLOCK_ASKED);
		close(fd);
	}
	return n == UNLOCK_ASKED ? 0 : -1;
}

static long get(const char *entry, uint8_t proof[UNLOCK_PROOF])
{
	int fd = attribute(entry, "outblob", O_RDONLY);
	long n = -1;

	if (fd >= 0) {
		n = fill(fd, proof, UNLOCK_PROOF);
		close(fd);
	}
	return n;
}

static int ask(const char *entry, const uint8_t asked[UNLOCK_ASKED], uint8_t proof[UNLOCK_PROOF])
{
	long n = put(entry, asked) ? -1 : get(entry, proof);
	const char *wrong;

	if (n < 0) {
		cli_error("%s: %s", entry, strerror(errno));
		return -1;
	}
	wrong = n == UNLOCK_PROOF ? report_wrong(proof) : "it is not as long as the layer's report";
	if (!wrong && memcmp(REPORT_BYTES(proof, data), asked, UNLOCK_ASKED))
		wrong = "the report is not about what was asked";
	if (wrong)
		cli_error("%s: %s", entry, wrong);
	return wrong ? -1 : 0;
}

int tsm_report(const char *entry, const uint8_t asked[UNLOCK_ASKED],
	       uint8_t proof[UNLOCK_PROOF])
{
	bool made = !mkdir(entry, 0700);
	int err;

	if (!made && errno != EEXIST) {
		cli_error("%s: %s; is configfs mounted, and are the modules tsm and tdx-guest loaded?",
			  entry, strerror(errno));
		return -1;
	}
	err = ask(entry, asked, proof);
	if (made)
		rmdir(entry);
	return err;
}
