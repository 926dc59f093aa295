// SPDX-License-Identifier: GPL-2.0
/* An event log as an adversary may hand it over: read, replayed, and taken for a launch's. */
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/launchlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eventlog_pcrs pcrs;
	uint8_t *bytes = malloc(size ? size : 1);	/* of its very size, for ASan */
	struct eventlog_event event;
	struct launch_log launch;
	enum eventlog_fault fault;
	struct eventlog log;
	size_t last = 0;

	memcpy(bytes, data, size);
	fault = eventlog_open(&log, bytes, size);
	while (!fault && !eventlog_end(&log)) {
		fault = eventlog_next(&log, &event);
		if (log.at > size || (!fault && log.at <= last))
			abort();
		last = log.at;
	}
	if (eventlog_replay(bytes, size, 0xff, &log, &pcrs) != fault)
		abort();
	if (!launch_log_read(bytes, size, &launch) &&
	    (launch.content[LAUNCH_KEY].len != PUBLIC_SIZE || fault))
		abort();
	free(bytes);
	return 0;
}
