// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>

#include "engine/admin.h"

int admin_init(struct admin *a, struct pol_image *p, struct pol_err *e)
{
	memset(a, 0, sizeof(*a));
	pthread_mutex_init(&a->lock, NULL);
	a->policy = p;
	if (!a->policy)
		return -EINVAL;
	a->session = calloc(ADMIN_SESSIONS_MAX, sizeof(*a->session));
	a->hash = calloc(ADMIN_SESSIONS_MAX, sizeof(*a->hash));
	a->subject = calloc(ADMIN_SESSIONS_MAX, sizeof(*a->subject));
	a->n_active = calloc(a->policy->n_role + 1, sizeof(*a->n_active));
	if (!a->session || !a->hash || !a->subject || !a->n_active)
		return pol_fail(e, ENOMEM, "out of memory for sessions");
	return 0;
}

void admin_exit(struct admin *a)
{
	pol_free(a->policy);
	free(a->session);
	free(a->hash);
	free(a->subject);
	free(a->n_active);
	pthread_mutex_destroy(&a->lock);
}

static void put_locked(struct pol_image *p)
{
	if (p && !--p->refs)
		pol_free(p);
}

struct pol_image *admin_get(struct admin *a)
{
	struct pol_image *p;

	pthread_mutex_lock(&a->lock);
	p = a->policy;
	p->refs++;
	pthread_mutex_unlock(&a->lock);
	return p;
}

void admin_put(struct admin *a, struct pol_image *p)
{
	pthread_mutex_lock(&a->lock);
	put_locked(p);
	pthread_mutex_unlock(&a->lock);
}

/* Renumbers a session's roles from @old to @p; those that are gone end. */
static void renumber(struct admin_session *s, const struct pol_image *old,
		     const struct pol_image *p, uint32_t *n_active)
{
	uint32_t i, n = 0, role;

	for (i = 0; i < s->s.n; i++) {
		role = pol_find(p, P_ROLE, pol_str(old, old->role[s->s.active[i].role].name));
		if (role == POL_NONE)
			continue;
		s->s.active[n++] = (struct pol_active){ role, s->s.active[i].since };
		n_active[role]++;
	}
	s->s.n = n;
}

/* A policy and sessions are of one cloud as long as the daemon runs. */
static int same_cloud(const struct pol_image *now, const struct pol_image *p, struct pol_err *e)
{
	if (!strcmp(pol_str(now, now->cloud), pol_str(p, p->cloud)))
		return 0;
	return pol_fail(e, EINVAL, "the policy is of cloud '%s', this daemon of '%s'",
			pol_str(p, p->cloud), pol_str(now, now->cloud));
}

int admin_reload(struct admin *a, struct pol_image *p, struct pol_err *e)
{
	uint32_t *n_active, i;

	if (!p)
		return -EINVAL;
	if (same_cloud(a->policy, p, e)) {
		pol_free(p);
		return -EINVAL;
	}
	n_active = calloc(p->n_role + 1, sizeof(*n_active));
	if (!n_active) {
		pol_free(p);
		return pol_fail(e, ENOMEM, "out of memory: the old policy stays in force");
	}
	pthread_mutex_lock(&a->lock);
	for (i = 0; i < ADMIN_SESSIONS_MAX; i++)
		if (a->hash[i])
			renumber(&a->session[i], a->policy, p, n_active);
	free(a->n_active);
	a->n_active = n_active;
	put_locked(a->policy);
	a->policy = p;
	pthread_mutex_unlock(&a->lock);
	return 0;
}

static void tell(struct admin *a, struct admin_session *s)
{
	s->told = s->used;
	if (a->changed)
		a->changed(a->ctx, a->policy, s);
}

static void end_session(struct admin *a, uint32_t i)
{
	struct admin_session *s = &a->session[i];
	uint32_t k, had = s->s.n;

	for (k = 0; k < s->s.n; k++)
		a->n_active[s->s.active[k].role]--;
	s->s.n = 0;
	a->hash[i] = 0;
	if (had)
		tell(a, s);
}

/* Ends sessions that idled for too long. */
static void sweep(struct admin *a, int64_t now)
{
	uint32_t i;

	if (now < a->next_sweep)
		return;
	a->next_sweep = now + ADMIN_SWEEP;
	for (i = 0; i < ADMIN_SESSIONS_MAX; i++)
		if (a->hash[i] && now - a->session[i].used > ADMIN_SESSION_IDLE)
			end_session(a, i);
}

/* Does @key's subject, its first @len bytes, have @max sessions? */
static bool has_enough(const struct admin *a, const char *key, size_t len, uint32_t subject,
		       uint32_t max)
{
	uint32_t i, n = 0;

	for (i = 0; i < ADMIN_SESSIONS_MAX; i++)
		if (a->subject[i] == subject && a->hash[i] &&
		    !strncmp(a->session[i].key, key, len) && a->session[i].key[len] == key[len])
			n++;
	return n >= max;
}

/* The session of @key, or a free place for it. Only a session's name can hold a '|'. */
static struct admin_session *find_session(struct admin *a, const char *key, int64_t now,
					  uint32_t max)
{
	uint32_t hash = strtab_hash(key, strlen(key)) | 1, i, free_one = POL_NONE;
	size_t len = strcspn(key, "|");
	uint32_t subject = strtab_hash(key, len);

	sweep(a, now);
	for (i = 0; i < ADMIN_SESSIONS_MAX; i++) {
		if (a->hash[i] == hash && !strcmp(a->session[i].key, key))
			return &a->session[i];
		if (!a->hash[i] && free_one == POL_NONE)
			free_one = i;
	}
	if (free_one == POL_NONE || has_enough(a, key, len, subject, max))
		return NULL;
	snprintf(a->session[free_one].key, ADMIN_KEY_MAX, "%s", key);
	a->session[free_one].used = now;
	a->hash[free_one] = hash;
	a->subject[free_one] = subject;
	return &a->session[free_one];
}

static void activate(struct admin *a, struct admin_session *s, uint32_t role, int64_t now)
{
	uint32_t i;

	s->used = now;
	for (i = 0; i < s->s.n && s->s.active[i].role != role; i++)
		;
	if (i == s->s.n) {
		s->s.active[s->s.n++] = (struct pol_active){ role, now };
		a->n_active[role]++;
		tell(a, s);
	} else if (now - s->told >= ADMIN_TELL) {
		tell(a, s);
	}
}

static void refuse(struct pol_decision *d, uint32_t code)
{
	d->permit = false;
	d->n = d->more = 0;
	d->role = POL_NONE;
	pol_refuse(d, (struct pol_reason){ code, POL_NONE, POL_NONE, POL_NONE,
					   POL_NONE, 0 });
}

/* Decides within @s; NULL is the first request of a session that is not kept, if it has one. */
static void decide_in(struct admin *a, struct pol_image *p, struct admin_session *s,
		      struct pdp_request *in, struct pdp_store *st, struct pol_query *q,
		      struct pol_decision *d)
{
	pdp_decide(p, in, st, q, d);
	if (s && d->permit)
		activate(a, s, d->role, in->tick);
	else if (s && !s->s.n)
		end_session(a, s - a->session);
}

void admin_decide(struct admin *a, struct pol_image *p, const char *key, struct pdp_request *in,
		  struct pdp_store *st, struct pol_query *q, struct pol_decision *d)
{
	static const struct pol_session fresh;
	struct admin_session *s = NULL;
	bool kept;

	pthread_mutex_lock(&a->lock);
	kept = key && p == a->policy;
	in->n_active = p == a->policy ? a->n_active : NULL;
	if (key && (!*key || strlen(key) >= ADMIN_KEY_MAX)) {
		refuse(d, R_BAD_SESSION);
	} else {
		if (kept)
			s = find_session(a, key, in->tick, in->mapped == POL_NONE ?
					 ADMIN_USER_MAX : ADMIN_CLOUD_MAX);
		in->session = s ? &s->s : key ? &fresh : NULL;
		if (kept && (!s || s->s.n == POL_HELD_MAX))
			refuse(d, R_TOO_MANY_SESSIONS);
		else
			decide_in(a, p, s, in, st, q, d);
	}
	in->session = NULL;
	in->n_active = NULL;
	q->session = !s && key ? &fresh : NULL;
	if (s && !d->permit) {
		st->session = s->s;
		q->session = &st->session;
	}
	q->n_active = NULL;
	pthread_mutex_unlock(&a->lock);
}

void admin_restore(struct admin *a, const char *key, int64_t used, const char *name,
		   int64_t since)
{
	struct admin_session *s;
	uint32_t role;

	pthread_mutex_lock(&a->lock);
	role = pol_find(a->policy, P_ROLE, name);
	s = role == POL_NONE || !*key || strlen(key) >= ADMIN_KEY_MAX ? NULL :
		find_session(a, key, used, ADMIN_SESSIONS_MAX);
	if (s && s->s.n < POL_HELD_MAX) {
		s->used = s->told = used;
		s->s.active[s->s.n++] = (struct pol_active){ role, since };
		a->n_active[role]++;
	}
	a->next_sweep = 0;
	pthread_mutex_unlock(&a->lock);
}

bool admin_end(struct admin *a, const char *key)
{
	uint32_t hash = strtab_hash(key, strlen(key)) | 1, i;
	bool found = false;

	pthread_mutex_lock(&a->lock);
	for (i = 0; i < ADMIN_SESSIONS_MAX && !found; i++) {
		found = a->hash[i] == hash && !strcmp(a->session[i].key, key);
		if (found)
			end_session(a, i);
	}
	pthread_mutex_unlock(&a->lock);
	return found;
}
