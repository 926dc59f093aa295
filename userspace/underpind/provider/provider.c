// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "provider/provider.h"

static const struct provider_ops *const providers[] = { &provider_dir, &provider_underpin };

struct provider *provider_open(const char *where, struct pol_err *e)
{
	size_t i, n;

	for (i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		n = strlen(providers[i]->name);
		if (!strncmp(where, providers[i]->name, n) && where[n] == ':')
			return providers[i]->open(where + n + 1, e);
	}
	pol_fail(e, EINVAL, "provider '%s': write dir:PATH or underpin:PATH", where);
	return NULL;
}
