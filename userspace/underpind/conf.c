// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "conf.h"
#include "net/url.h"
#include "trust/ticket.h"

#define SKEW_MAX	1800	/* half of what state.c remembers: a replay is never forgotten */

enum conf_type { TEXT, NUMBER };

static const struct {
	const char *name;
	enum conf_type type;
	size_t offset;
	size_t size;		/* of a text, its end included; the most that a number may be */
	bool needed;
	bool fixed;		/* while the daemon runs */
} options[] = {
#define O_TEXT(n, f, needed) \
	{ n, TEXT, offsetof(struct conf, f), sizeof(((struct conf *)0)->f), needed, false }
#define O_TEXT_FIXED(n, f, needed) \
	{ n, TEXT, offsetof(struct conf, f), sizeof(((struct conf *)0)->f), needed, true }
#define O_NUM(n, f, max) { n, NUMBER, offsetof(struct conf, f), max, false, false }
#define O_NUM_FIXED(n, f, max) { n, NUMBER, offsetof(struct conf, f), max, false, true }
	O_TEXT_FIXED("cloud", cloud, true),
	O_TEXT("certificate", cert, true),
	O_TEXT("key", key, true),
	O_TEXT("trust", trust, true),
	O_TEXT_FIXED("state", state, true),
	O_TEXT("policy", policy, true),
	O_TEXT_FIXED("directory", directory, true),
	O_TEXT_FIXED("directory-ca", directory_ca, false),
	O_TEXT("audit-key", audit_key, true),
	O_TEXT("ticket-key", ticket_key, false),
	O_TEXT_FIXED("provider", provider, false),
	O_TEXT("root-image", root_image, false),
	O_TEXT("operator-role", operator_role, false),
	O_TEXT("authzen-role", authzen_role, false),
	O_TEXT("jwt-issuer", jwt_issuer, false),
	O_TEXT("jwt-audience", jwt_audience, false),
	O_TEXT("jwt-key", jwt_key, false),
	O_NUM("ticket-lifetime", ticket_lifetime, TICKET_LIFETIME_MAX),
	O_NUM("ticket-tsc-khz", tsc_khz, 10000000),
	O_NUM("deadline-ms", deadline_ms, 600000),
	O_NUM("skew-seconds", skew_s, SKEW_MAX),
	O_NUM("queue", queue, 1000000),
	O_NUM("queue-share", share, 1000000),
	O_NUM_FIXED("connections", connections, 1000000),
	O_NUM_FIXED("connections-per-address", per_address, 1000000),
	O_NUM_FIXED("peer-connections", peer_connections, 1000000),
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static int layer_named(const char *s)
{
	int i;

	for (i = 0; i < L_NLAYERS; i++)
		if (!strcmp(s, pol_layer_name[i]))
			return i;
	return -1;
}

static bool put(char *to, size_t size, const char *value)
{
	return (size_t)snprintf(to, size, "%s", value) < size;
}

/* ADDRESS:PORT or [ADDRESS]:PORT */
static bool set_listen(struct conf *c, const char *value)
{
	const char *colon = strrchr(value, ':');
	size_t n = colon ? colon - value : 0;
	struct in6_addr in6;
	struct in_addr in;
	uint32_t port;

	if (!n || n >= sizeof(c->address) || *c->address || !url_number(colon + 1, 1, 65535, &port))
		return false;
	c->port = port;
	c->ipv6 = *value == '[' && value[n - 1] == ']';
	memcpy(c->address, value + c->ipv6, n - 2 * c->ipv6);
	c->address[n - 2 * c->ipv6] = 0;
	return c->ipv6 ? inet_pton(AF_INET6, c->address, &in6) == 1 :
			 inet_pton(AF_INET, c->address, &in) == 1;
}

static bool put_once(char *to, size_t size, const char *value)
{
	return !*to && *value && put(to, size, value);
}

/* Finds the peer called what stands before the last dot of @name, or makes it. */
static struct conf_peer *peer_of(struct conf *c, const char *name, const char *dot)
{
	char cloud[64];
	uint32_t i;

	if (dot <= name || (size_t)(dot - name) >= sizeof(cloud))
		return NULL;
	memcpy(cloud, name, dot - name);
	cloud[dot - name] = 0;
	for (i = 0; i < c->n_peer; i++)
		if (!strcmp(c->peer[i].cloud, cloud))
			return &c->peer[i];
	if (c->n_peer == CONF_PEERS_MAX)
		return NULL;
	put(c->peer[c->n_peer].cloud, sizeof(cloud), cloud);
	return &c->peer[c->n_peer++];
}

/* own.issuer, own.ca, own.LAYER, peer.CLOUD.issuer, peer.CLOUD.ca, peer.CLOUD.LAYER */
static bool set_peer(struct conf *c, const char *name, const char *value)
{
	const char *dot = strrchr(name, '.');
	struct conf_peer *p = !strncmp(name, "own.", 4) ? &c->own : peer_of(c, name + 5, dot);
	int layer;

	if (!p)
		return false;
	if (!strcmp(dot, ".issuer"))
		return put_once(p->issuer, sizeof(p->issuer), value);
	if (!strcmp(dot, ".ca"))
		return put_once(p->ca, sizeof(p->ca), value);
	if (!strcmp(dot, ".crl"))
		return put_once(p->crl, sizeof(p->crl), value);
	layer = layer_named(dot + 1);
	return layer >= 0 && url_ok(value, "https://") &&
	       put_once(p->url[layer], sizeof(p->url[0]), value);
}

static bool set_option(struct conf *c, size_t i, const char *value)
{
	char *at = (char *)c + options[i].offset;
	uint32_t n;

	if (options[i].type == TEXT)
		return put_once(at, options[i].size, value);
	if (!url_number(value, 1, options[i].size, &n))
		return false;
	memcpy(at, &n, sizeof(n));
	return true;
}

static bool set(struct conf *c, const char *name, const char *value)
{
	size_t i;

	if (!strcmp(name, "layer")) {
		if (layer_named(value) < 0 || c->layer != L_NLAYERS)
			return false;
		c->layer = layer_named(value);
		return true;
	}
	if (!strcmp(name, "listen"))
		return set_listen(c, value);
	if (!strncmp(name, "own.", 4) || !strncmp(name, "peer.", 5))
		return set_peer(c, name, value);
	for (i = 0; i < N_OPTIONS; i++)
		if (!strcmp(name, options[i].name))
			return set_option(c, i, value);
	return false;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	n = strlen(s);
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	s[n] = 0;
	return s;
}

static int parse(struct conf *c, FILE *f, const char *path, struct pol_err *e)
{
	char line[1024], *eq, *text;
	int n;

	for (n = 1; fgets(line, sizeof(line), f); n++) {
		if (strlen(line) == sizeof(line) - 1)
			return pol_fail(e, EINVAL, "%s:%d: the line is too long", path, n);
		text = trim(line);
		if (!*text || *text == '#')
			continue;
		eq = strchr(text, '=');
		if (!eq)
			return pol_fail(e, EINVAL, "%s:%d: not 'name = value'", path, n);
		*eq = 0;
		if (!set(c, trim(text), trim(eq + 1)))
			return pol_fail(e, EINVAL, "%s:%d: '%s' is unknown, is given twice, or its "
					"value is not allowed: see underpind.conf(5)", path, n,
					trim(text));
	}
	return 0;
}

static int complete_peers(const struct conf *c, const char *path, struct pol_err *e)
{
	const struct conf_peer *p;

	if (!*c->own.issuer || !*c->own.ca)
		return pol_fail(e, EINVAL, "%s: 'own.issuer' or 'own.ca' is missing", path);
	for (p = c->peer; p < c->peer + c->n_peer; p++) {
		if (!strcmp(p->cloud, c->cloud))
			return pol_fail(e, EINVAL, "%s: 'peer.%s' is this cloud itself: say own.",
					path, p->cloud);
		if (!*p->issuer || !*p->ca)
			return pol_fail(e, EINVAL, "%s: 'peer.%s.issuer' or 'peer.%s.ca' is "
					"missing", path, p->cloud, p->cloud);
	}
	return 0;
}

static int complete_layer(const struct conf *c, const char *path, struct pol_err *e)
{
	uint8_t image[32];

	if (c->layer == L_NLAYERS)
		return pol_fail(e, EINVAL, "%s: 'layer' is missing", path);
	if (*c->root_image && !pol_unhex(c->root_image, image, sizeof(image)))
		return pol_fail(e, EINVAL, "%s: 'root-image' is not 64 hexadecimal digits", path);
	if (c->layer == L_INFRASTRUCTURE && (!*c->provider || !*c->ticket_key || !*c->root_image))
		return pol_fail(e, EINVAL, "%s: the infrastructure layer needs 'provider', "
				"'ticket-key' and 'root-image'", path);
	return 0;
}

static int complete(const struct conf *c, const char *path, struct pol_err *e)
{
	int jwt = !!*c->jwt_issuer + !!*c->jwt_audience + !!*c->jwt_key, ret;
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (options[i].needed && !*((const char *)c + options[i].offset))
			return pol_fail(e, EINVAL, "%s: '%s' is missing", path, options[i].name);
	if (!c->port)
		return pol_fail(e, EINVAL, "%s: 'listen' is missing", path);
	if (jwt && jwt != 3)
		return pol_fail(e, EINVAL, "%s: of 'jwt-issuer', 'jwt-audience' and 'jwt-key' all "
				"are given or none", path);
	ret = complete_layer(c, path, e);
	return ret ? ret : complete_peers(c, path, e);
}

int conf_load(struct conf *c, const char *path, struct pol_err *e)
{
	FILE *f = fopen(path, "re");
	int ret;

	*c = (struct conf){
		.layer = L_NLAYERS,	/* none yet */
		.ticket_lifetime = 300, .tsc_khz = 1000000,
		.deadline_ms = 5000, .skew_s = 30, .queue = 256,
		.share = 64,
		.connections = 1024, .per_address = 256, .peer_connections = 32,
	};
	if (!f)
		return pol_fail(e, EINVAL, "%s: %m", path);
	ret = parse(c, f, path, e);
	fclose(f);
	return ret ? ret : complete(c, path, e);
}

static int same_place(const struct conf *a, const struct conf *b, struct pol_err *e)
{
	size_t i, n;

	for (i = 0; i < N_OPTIONS; i++) {
		n = options[i].type == TEXT ? options[i].size : sizeof(uint32_t);
		if (options[i].fixed && memcmp((const char *)a + options[i].offset,
					       (const char *)b + options[i].offset, n))
			return pol_fail(e, EINVAL, "'%s' is another: that needs a start",
					options[i].name);
	}
	if (a->layer != b->layer)
		return pol_fail(e, EINVAL, "'layer' is another: that needs a start");
	if (a->port != b->port || a->ipv6 != b->ipv6 || strcmp(a->address, b->address))
		return pol_fail(e, EINVAL, "'listen' is another: that needs a start");
	return 0;
}

static struct conf_peer *slot_of(struct conf *c, const char *cloud)
{
	uint32_t i;

	for (i = 0; i < c->n_peer; i++)
		if (!strcmp(c->peer[i].cloud, cloud))
			return &c->peer[i];
	return c->n_peer < CONF_PEERS_MAX ? &c->peer[c->n_peer++] : NULL;
}

int conf_change(const struct conf *now, struct conf *next, struct pol_err *e)
{
	struct conf file = *next;
	struct conf_peer *slot;
	uint32_t i;

	if (same_place(now, next, e))
		return -EINVAL;
	memcpy(next->peer, now->peer, sizeof(next->peer));
	next->n_peer = now->n_peer;
	for (i = 0; i < next->n_peer; i++) {
		memset(&next->peer[i], 0, sizeof(next->peer[i]));
		strcpy(next->peer[i].cloud, now->peer[i].cloud);
	}
	for (i = 0; i < file.n_peer; i++) {
		slot = slot_of(next, file.peer[i].cloud);
		if (!slot)
			return pol_fail(e, EINVAL, "'peer.%s': %u clouds were named since the "
					"start: another needs a start", file.peer[i].cloud,
					CONF_PEERS_MAX);
		*slot = file.peer[i];
	}
	return 0;
}

const struct conf_peer *conf_peer(const struct conf *c, const char *cloud)
{
	uint32_t i;

	for (i = 0; i < c->n_peer; i++)
		if (!strcmp(c->peer[i].cloud, cloud))
			return &c->peer[i];
	return NULL;
}
