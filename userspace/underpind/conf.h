/* SPDX-License-Identifier: GPL-2.0-only */
/* underpind's configuration: "name = value" lines; underpind.conf(5). */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>

#include "base/err.h"
#include "base/terms.h"

#define CONF_PEERS_MAX	32
#define CONF_TEXT_MAX	256

/* Another cloud: how its certificates are known and where its layers listen. */
struct conf_peer {
	char cloud[64];
	char issuer[CONF_TEXT_MAX];		/* DN of its certificate authority */
	char ca[CONF_TEXT_MAX];			/* the authority's certificate, PEM */
	char crl[CONF_TEXT_MAX];		/* what it has revoked, PEM; or nothing */
	char url[L_NLAYERS][CONF_TEXT_MAX];
};

struct conf {
	char cloud[64];
	enum pol_layer layer;
	char address[64];
	bool ipv6;
	uint16_t port;
	char cert[CONF_TEXT_MAX], key[CONF_TEXT_MAX], trust[CONF_TEXT_MAX];
	char state[CONF_TEXT_MAX];		/* SQLite: requests, allocations, audit */
	char policy[CONF_TEXT_MAX];
	char directory[CONF_TEXT_MAX];		/* sqlite:PATH or etcd:URL[,URL...] */
	char directory_ca[CONF_TEXT_MAX];	/* authority of an etcd's certificates, PEM */
	char audit_key[CONF_TEXT_MAX], ticket_key[CONF_TEXT_MAX];
	char provider[CONF_TEXT_MAX];		/* dir:PATH; infrastructure layer only */
	char root_image[65];			/* SHA-256 that a ticket requires */
	char operator_role[CONF_TEXT_MAX];	/* of those who may see and act; or nobody may */
	char authzen_role[CONF_TEXT_MAX];	/* of those who may ask of others; or nobody may */
	uint32_t ticket_lifetime;		/* seconds */
	uint32_t tsc_khz;			/* of hosts whose layer counts it */
	uint32_t deadline_ms, skew_s;
	uint32_t queue;				/* requests under way */
	uint32_t share;				/* of them, one user's, another cloud's, or to it */
	uint32_t connections, per_address;	/* of others to this daemon */
	uint32_t peer_connections;		/* of this daemon to each other one */
	char jwt_issuer[CONF_TEXT_MAX], jwt_audience[CONF_TEXT_MAX], jwt_key[CONF_TEXT_MAX];
	struct conf_peer own;			/* this cloud, as its other layers see it */
	struct conf_peer peer[CONF_PEERS_MAX];
	uint32_t n_peer;
};

/**
 * conf_load() - read a configuration file
 * @c: filled, with defaults where the file is silent
 * @e: what is wrong: file, line, and the cure
 *
 * Return: 0 or -EINVAL.
 */
int conf_load(struct conf *c, const char *path, struct pol_err *e);

/**
 * conf_change() - make a configuration that was read the next one of a daemon that runs
 * @now: the one in force
 * @next: the one read; its clouds get the places that they have in @now, to which requests
 *	  under way point. One that it does not name any more keeps its place and its name,
 *	  and nothing else
 *
 * Return: 0, or -EINVAL if something else is another, which needs a start.
 */
int conf_change(const struct conf *now, struct conf *next, struct pol_err *e);

/* The peer named @cloud, or NULL. */
const struct conf_peer *conf_peer(const struct conf *c, const char *cloud);

#endif
