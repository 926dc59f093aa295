/* SPDX-License-Identifier: GPL-2.0-only */
/* One daemon: the ACM and the VRM of one layer of one cloud (S2.1). */
#ifndef DAEMON_H
#define DAEMON_H

#include "conf.h"
#include "engine/admin.h"
#include "net/message.h"
#include "net/metrics.h"
#include "net/recent.h"
#include "outgoing.h"
#include "provider/provider.h"
#include "state/state.h"
#include "trust/key.h"
#include "vgds/vgds.h"
#include "vrm/clock.h"
#include "vrm/jwt.h"
#include "vrm/sender.h"

struct work;

/* One thread does everything but compile a policy that is reloaded. */
struct daemon {
	struct conf conf;
	const char *conf_path;
	struct loop loop;
	struct http *http;
	struct outgoing outgoing;
	struct admin admin;
	struct state state;
	struct vgds vgds;
	struct provider *provider;	/* infrastructure layer only */
	struct key *audit_key, *ticket_key;
	struct jwt_keys *jwt_keys;
	uint8_t root_image[32];
	struct metrics metrics;
	struct work *works;		/* requests under way */
	uint32_t n_works;
	struct clock_of clock[CONF_PEERS_MAX + 1][L_NLAYERS];	/* of others' daemons, and own */
	struct asked asked[CONF_PEERS_MAX + 1][L_NLAYERS];	/* likewise */
	struct recent *recent;		/* NULL: there is no status page */
};

/**
 * vrm_start() - answer one message (S2.3, S2.5, S2.7)
 * @body: untrusted bytes, not needed any more on return
 * @len: how many
 * @answer: called once, from here or later from the loop, with the answer's JSON text,
 *	    to be freed, or NULL without memory; and its HTTP status
 *
 * Grants nothing that is not in the audit log.
 */
void vrm_start(struct daemon *d, const struct sender *s, const char *body, size_t len,
	       void (*answer)(void *ctx, char *text, int status), void *ctx);

/**
 * sessions_restore() - take up the sessions that were there before
 *
 * And remember from now on what changes in them.
 *
 * Return: 0 or -EIO.
 */
int sessions_restore(struct daemon *d, struct pol_err *e);

/**
 * vrm_has_its_share() - are as many requests of this sender under way as may be?
 *
 * One user, or one other cloud, shall not keep everybody else waiting. This cloud's layers
 * speak for many, and have no share.
 */
bool vrm_has_its_share(const struct daemon *d, const struct sender *s);

/**
 * server_run() - serve until told to stop
 *
 * SIGHUP reloads the configuration and the files that it names, SIGTERM and SIGINT stop
 * after the requests under way are answered.
 *
 * Return: 0, or -errno with @e set.
 */
int server_run(struct daemon *d, struct pol_err *e);

#endif
