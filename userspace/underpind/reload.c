// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "check.h"
#include "reload.h"
#include "vrm/work.h"

struct keys {
	struct jwt_keys *jwt;
	struct key *ticket, *audit;
};

static void free_keys(struct keys *k)
{
	jwt_keys_free(k->jwt);
	key_free(k->ticket);
	key_free(k->audit);
}

static int load_keys(struct keys *k, const struct conf *c, struct pol_err *e)
{
	memset(k, 0, sizeof(*k));
	if ((!*c->jwt_key || (k->jwt = jwt_keys_load(c->jwt_key, e))) &&
	    (!*c->ticket_key || (k->ticket = key_load(c->ticket_key, true, e))) &&
	    (k->audit = key_load(c->audit_key, true, e)))
		return 0;
	free_keys(k);
	return -EINVAL;
}

/* Would a daemon start with it, as far as it can be changed? */
static int try(const struct conf *c, struct pol_err *e)
{
	struct outgoing o;
	struct senders *s;
	struct keys k;
	int ret = check_identity(c, e);

	ret = ret ? ret : load_keys(&k, c, e);
	if (ret)
		return ret;
	free_keys(&k);
	if (outgoing_load(&o, c, e))
		return -EINVAL;
	outgoing_free(&o);
	s = senders_load(c, e);
	senders_free(s);
	return s ? 0 : -EINVAL;
}

int reconfigure(struct daemon *d, struct pol_err *e)
{
	struct conf *next = malloc(sizeof(*next));
	int ret = next ? conf_load(next, d->conf_path, e) : pol_fail(e, ENOMEM, "out of memory");

	ret = ret ? ret : conf_change(&d->conf, next, e);
	ret = ret ? ret : try(next, e);
	if (!ret) {
		d->conf = *next;
		pol_unhex(d->conf.root_image, d->root_image, sizeof(d->root_image));
	}
	free(next);
	return ret;
}

/* The last word of the old key is the new one's name. */
static char *succession(const struct daemon *d, const struct key *new)
{
	char key[65], *text;
	json_t *j = json_pack("{s:I,s:s,s:s,s:s,s:s}", "time", (json_int_t)vrm_now_ms(), "event",
			      AUDIT_NEW_KEY, "cloud", d->conf.cloud, "layer",
			      pol_layer_name[d->conf.layer], "key",
			      pol_hex(key_public(new), 32, key));

	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}

/* Takes @new over. */
static void change_audit_key(struct daemon *d, struct key *new)
{
	struct pol_err e = { "out of memory" };
	char *text;

	if (!memcmp(key_public(new), key_public(d->audit_key), 32)) {
		key_free(new);
		return;
	}
	text = succession(d, new);
	if (!text || state_change_key(&d->state, new, text, &e)) {
		fprintf(stderr, "underpind: the old audit key stays: %s\n", e.msg);
		key_free(new);
		return;
	}
	key_free(d->audit_key);
	d->audit_key = new;
	fprintf(stderr, "underpind: audit key changed\n");
}

void reload_keys(struct daemon *d)
{
	struct pol_err e;
	struct keys k;

	if (load_keys(&k, &d->conf, &e)) {
		fprintf(stderr, "underpind: the old keys stay: %s\n", e.msg);
		return;
	}
	jwt_keys_free(d->jwt_keys);
	key_free(d->ticket_key);
	d->jwt_keys = k.jwt;
	d->ticket_key = k.ticket;
	change_audit_key(d, k.audit);
	fprintf(stderr, "underpind: keys reloaded\n");
}
