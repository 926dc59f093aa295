/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy administration (S2.2): the policy in force, its replacement, and the
 * sessions that dynamic separation of duty is about.
 */
#ifndef POL_ADMIN_H
#define POL_ADMIN_H

#include <pthread.h>

#include "engine/pdp.h"

#define ADMIN_SESSIONS_MAX	4096
#define ADMIN_USER_MAX		64	/* sessions of one user */
#define ADMIN_CLOUD_MAX		1024	/* of another cloud, which stands for its users */
#define ADMIN_SESSION_IDLE	3600	/* seconds until an unused session ends */
#define ADMIN_SWEEP		60	/* seconds between looks for such sessions */
#define ADMIN_KEY_MAX		128	/* bytes of a key, its end included */

#define ADMIN_TELL	60	/* seconds by which a session's last use may be told late */

struct admin_session {
	char key[ADMIN_KEY_MAX];
	int64_t used;			/* a tick, as of struct pol_query */
	int64_t told;			/* @used, when it was last told */
	struct pol_session s;
};

struct admin {
	pthread_mutex_t lock;
	struct pol_image *policy;
	struct admin_session *session;
	uint32_t *hash;			/* of each session's key, apart to be searched; 0: free */
	uint32_t *subject;		/* of its subject */
	int64_t next_sweep;
	/* Told of a session that took a role, was used, or ended; then it has no roles. */
	void (*changed)(void *ctx, const struct pol_image *p, const struct admin_session *s);
	void *ctx;
	uint32_t *n_active;		/* by role */
};

/**
 * admin_init() - put the first policy in force
 * @p: the policy, taken over whatever comes of it; NULL if none could be loaded
 *
 * Return: 0, -EINVAL if there is no policy, or -ENOMEM with @e set.
 */
int admin_init(struct admin *a, struct pol_image *p, struct pol_err *e);
void admin_exit(struct admin *a);

/**
 * admin_reload() - put another policy in force
 * @p: as of admin_init()
 *
 * Atomic: every decision is under the old policy or under the new one. A bad
 * policy, or another cloud's, leaves the old one in force. Sessions keep the roles that the new
 * policy still has.
 *
 * Return: as admin_init().
 */
int admin_reload(struct admin *a, struct pol_image *p, struct pol_err *e);

/* The policy in force, to be given back with admin_put(). */
struct pol_image *admin_get(struct admin *a);
void admin_put(struct admin *a, struct pol_image *p);

/**
 * admin_decide() - decide within a session, and activate the role it took
 * @p: a policy of admin_get(); if it is no longer in force, sessions are not
 *	touched and the decision is as of a session of its own
 * @key: "SUBJECT|SESSION", or NULL for none; an empty or overlong one is refused
 * @in: the request; its session members are set here
 *
 * Decision and activation are one step for all threads. A session has a name of
 * its subject's choice, so what one subject can take is bounded: ADMIN_USER_MAX, or
 * ADMIN_CLOUD_MAX if the role is mapped.
 */
void admin_decide(struct admin *a, struct pol_image *p, const char *key, struct pdp_request *in,
		  struct pdp_store *st, struct pol_query *q, struct pol_decision *d);

/**
 * admin_restore() - take a session up that was there before
 * @key: as of admin_decide()
 * @used: its last use
 * @name: of a role that it had activated; one that the policy lacks is left out
 * @since: since when
 *
 * To be called for each of its roles, before the first decision.
 */
void admin_restore(struct admin *a, const char *key, int64_t used, const char *name,
		   int64_t since);

/**
 * admin_end() - end a session, as if it had idled for too long
 *
 * Return: whether there was one.
 */
bool admin_end(struct admin *a, const char *key);

#endif
