/* SPDX-License-Identifier: GPL-2.0-only */
/* One daemon: the ACM and the VRM of one layer of one cloud (S2.1). */
#ifndef DAEMON_H
#define DAEMON_H

#include "conf.h"
#include "engine/admin.h"
#include "net/message.h"
#include "net/metrics.h"
#include "provider/provider.h"
#include "state/state.h"
#include "trust/key.h"
#include "vgds/vgds.h"
#include "vrm/jwt.h"

struct work;

/* One thread does everything but compile a policy that is reloaded. */
struct daemon {
	struct conf conf;
	struct loop loop;
	struct http *http;
	struct admin admin;
	struct state state;
	struct vgds vgds;
	struct provider *provider;	/* infrastructure layer only */
	struct key *audit_key, *ticket_key;
	struct jwt_key *jwt_key;
	uint8_t root_image[32];
	struct metrics metrics;
	struct work *works;		/* requests under way */
	uint32_t n_works;
};

enum sender_kind {
	SENDER_NONE,		/* a certificate that means nothing here */
	SENDER_USER,
	SENDER_UPPER,		/* a daemon of this cloud */
	SENDER_REMOTE,		/* a daemon of another cloud */
};

/* Who is at the other end of a connection, as its certificate proves. */
struct sender {
	enum sender_kind kind;
	char issuer[256], subject[256], fingerprint[65];
	char org[64], unit[64];
	enum pol_layer layer;			/* of a daemon */
	const struct conf_peer *peer;		/* of SENDER_REMOTE */
};

/**
 * sender_identify() - classify a sender by its certificate's names
 * @s: issuer, subject, org and unit set; the rest is filled
 *
 * A daemon's certificate has O=underpind and OU=LAYER, from its cloud's authority.
 */
void sender_identify(const struct conf *c, struct sender *s);

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
 * server_run() - serve until told to stop
 *
 * SIGHUP reloads the policy, SIGTERM and SIGINT stop after the requests under
 * way are answered.
 *
 * Return: 0, or -errno with @e set.
 */
int server_run(struct daemon *d, struct pol_err *e);

#endif
