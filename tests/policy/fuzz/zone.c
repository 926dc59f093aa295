// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a time zone file. */
#include <stdlib.h>

#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pol_err e;
	struct zone z;
	uint32_t i;

	if (!zone_parse(&z, data, size, &e))
		for (i = 1; i < z.n_change; i++)
			if (z.change[i].at <= z.change[i - 1].at)
				abort();
	zone_free(&z);
	return 0;
}
