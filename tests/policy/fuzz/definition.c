// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as the definition of a VM. */
#include <stdlib.h>
#include <string.h>

#include "provider/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char uuid[] = "00000000-0000-4000-8000-000000000001";

	if (!provider_dir_check((const char *)data, size, uuid) &&
	    (!memmem(data, size, uuid, 8) || memmem(data, size, "<!DOCTYPE", 9)))
		abort();
	return 0;
}
