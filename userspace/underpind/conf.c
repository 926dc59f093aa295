// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

#define SKEW_MAX	1800	/* half of what state.c remembers: a replay is never forgotten */

enum conf_type { TEXT, NUMBER };

static const struct {
	const char *name;
	enum conf_type type;
	size_t offset;
	size_t size;
	bool needed;
} options[] = {
#define O_TEXT(n, f, needed) \
	{ n, TEXT, offsetof(struct conf, f), sizeof(((struct conf *)0)->f), needed }
#define O_NUM(n, f) { n, NUMBER, offsetof(struct conf, f), 0, false }
	O_TEXT("cloud", cloud, true),
	O_TEXT("certificate", cert, true),
	O_TEXT("key", key, true),
	O_TEXT("trust", trust, true),
	O_TEXT("state", state, true),
	O_TEXT("policy", policy, true),
	O_TEXT("directory", directory, true),
	O_TEXT("directory-ca", directory_ca, false),
	O_TEXT("audit-key", audit_key, true),
	O_TEXT("ticket-key", ticket_key, false),
	O_TEXT("provider", provider, false),
	O_TEXT("root-image", root_image, false),
	O_TEXT("jwt-issuer", jwt_issuer, false),
	O_TEXT("jwt-audience", jwt_audience, false),
	O_TEXT("jwt-key", jwt_key, false),
	O_NUM("ticket-lifetime", ticket_lifetime),
	O_NUM("deadline-ms", deadline_ms),
	O_NUM("skew-seconds", skew_s),
	O_NUM("queue", queue),
	O_NUM("connections", connections),
	O_NUM("connections-per-address", per_address),
	O_NUM("peer-connections", peer_connections),
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

static bool set_listen(struct conf *c, const char *value)
{
	const char *colon = strrchr(value, ':');
	unsigned int port;

	if (!colon || (size_t)(colon - value) >= sizeof(c->address) ||
	    sscanf(colon + 1, "%u", &port) != 1 || !port || port > 65535)
		return false;
	memcpy(c->address, value, colon - value);
	c->port = port;
	return true;
}

/* own.issuer, own.ca, own.LAYER, peer.CLOUD.issuer, peer.CLOUD.ca, peer.CLOUD.LAYER */
static bool set_peer(struct conf *c, const char *name, const char *value)
{
	const char *dot = strrchr(name, '.');
	struct conf_peer *p = NULL;
	char cloud[64];
	uint32_t i;
	int layer;

	if (!strncmp(name, "own.", 4)) {
		p = &c->own;
	} else {
		name += 5;
		if (dot <= name || (size_t)(dot - name) >= sizeof(cloud))
			return false;
		memcpy(cloud, name, dot - name);
		cloud[dot - name] = 0;
		for (i = 0; i < c->n_peer && !p; i++)
			p = strcmp(c->peer[i].cloud, cloud) ? NULL : &c->peer[i];
		if (!p && c->n_peer < CONF_PEERS_MAX) {
			p = &c->peer[c->n_peer++];
			put(p->cloud, sizeof(p->cloud), cloud);
		}
	}
	if (!p)
		return false;
	if (!strcmp(dot, ".issuer"))
		return put(p->issuer, sizeof(p->issuer), value);
	if (!strcmp(dot, ".ca"))
		return put(p->ca, sizeof(p->ca), value);
	if (!strcmp(dot, ".crl"))
		return put(p->crl, sizeof(p->crl), value);
	layer = layer_named(dot + 1);
	return layer >= 0 && put(p->url[layer], sizeof(p->url[0]), value);
}

static bool set(struct conf *c, const char *name, const char *value)
{
	uint32_t number;
	size_t i;
	char *end;

	if (!strcmp(name, "layer")) {
		if (layer_named(value) < 0)
			return false;
		c->layer = layer_named(value);
		return true;
	}
	if (!strcmp(name, "listen"))
		return set_listen(c, value);
	if (!strncmp(name, "own.", 4) || !strncmp(name, "peer.", 5))
		return set_peer(c, name, value);
	for (i = 0; i < N_OPTIONS; i++) {
		if (strcmp(name, options[i].name))
			continue;
		if (options[i].type == TEXT)
			return put((char *)c + options[i].offset, options[i].size, value);
		number = strtoul(value, &end, 10);
		memcpy((char *)c + options[i].offset, &number, sizeof(number));
		return !*end && number && number <= 1000000;
	}
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
		text = trim(line);
		if (!*text || *text == '#')
			continue;
		eq = strchr(text, '=');
		if (!eq)
			return pol_fail(e, EINVAL, "%s:%d: not 'name = value'", path, n);
		*eq = 0;
		if (!set(c, trim(text), trim(eq + 1)))
			return pol_fail(e, EINVAL, "%s:%d: '%s' is unknown, or its value is not "
					"allowed: see underpind.conf(5)", path, n, trim(text));
	}
	return 0;
}

static int complete(const struct conf *c, const char *path, struct pol_err *e)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (options[i].needed && !*((const char *)c + options[i].offset))
			return pol_fail(e, EINVAL, "%s: '%s' is missing", path, options[i].name);
	if (c->layer == L_NLAYERS)
		return pol_fail(e, EINVAL, "%s: 'layer' is missing", path);
	if (!c->port)
		return pol_fail(e, EINVAL, "%s: 'listen' is missing", path);
	if (!*c->own.issuer || !*c->own.ca)
		return pol_fail(e, EINVAL, "%s: 'own.issuer' or 'own.ca' is missing", path);
	if (c->layer == L_INFRASTRUCTURE &&
	    (!*c->provider || !*c->ticket_key || strlen(c->root_image) != 64))
		return pol_fail(e, EINVAL, "%s: the infrastructure layer needs 'provider', "
				"'ticket-key' and 'root-image' (64 hexadecimal digits)", path);
	if (c->ticket_lifetime > 3600)
		return pol_fail(e, EINVAL, "%s: 'ticket-lifetime' is at most 3600", path);
	if (c->skew_s > SKEW_MAX)
		return pol_fail(e, EINVAL, "%s: 'skew-seconds' is at most %d", path, SKEW_MAX);
	return 0;
}

int conf_load(struct conf *c, const char *path, struct pol_err *e)
{
	FILE *f = fopen(path, "re");
	int ret;

	*c = (struct conf){
		.layer = L_NLAYERS,	/* none yet */
		.ticket_lifetime = 300, .deadline_ms = 5000, .skew_s = 30, .queue = 256,
		.connections = 1024, .per_address = 256, .peer_connections = 32,
	};
	if (!f)
		return pol_fail(e, EINVAL, "%s: %m", path);
	ret = parse(c, f, path, e);
	fclose(f);
	return ret ? ret : complete(c, path, e);
}

const struct conf_peer *conf_peer(const struct conf *c, const char *cloud)
{
	uint32_t i;

	for (i = 0; i < c->n_peer; i++)
		if (!strcmp(c->peer[i].cloud, cloud))
			return &c->peer[i];
	return NULL;
}
