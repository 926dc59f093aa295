// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions that outlive the daemon: what a role was activated for stays what it keeps
 * apart, and counts as active. Ticks are the monotonic clock's, and go to the disk as
 * seconds since 1970, for another boot's clock begins anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon.h"

static int64_t tick_of(int64_t when)
{
	int64_t ago = time(NULL) - when;

	return loop_ms() / 1000 - (ago > 0 ? ago : 0);
}

static int64_t when_of(int64_t tick)
{
	return time(NULL) - (loop_ms() / 1000 - tick);
}

/* A session that cannot be noted: what it is part of will not be answered. */
static void changed(void *ctx, const struct pol_image *p, const struct admin_session *s)
{
	struct daemon *d = ctx;
	char *text = NULL;
	size_t size;
	uint32_t i;
	FILE *f;

	f = s->s.n ? open_memstream(&text, &size) : NULL;
	for (i = 0; f && i < s->s.n; i++)
		fprintf(f, "%lld %s\n", (long long)when_of(s->s.active[i].since),
			pol_str(p, p->role[s->s.active[i].role].name));
	if (f)
		fclose(f);
	state_session(&d->state, s->key, when_of(s->used), text);
	free(text);
}

static void restore(void *ctx, const char *key, int64_t used, const char *roles)
{
	struct daemon *d = ctx;
	char *text = strdup(roles), *rest = text, *line, *name;
	int64_t since;

	while ((line = strsep(&rest, "\n"))) {
		since = strtoll(line, &name, 10);
		if (*name == ' ')
			admin_restore(&d->admin, key, tick_of(used), name + 1, tick_of(since));
	}
	free(text);
}

int sessions_restore(struct daemon *d, struct pol_err *e)
{
	int ret = state_sessions(&d->state, restore, d, e);

	d->admin.ctx = d;
	d->admin.changed = changed;
	return ret;
}
