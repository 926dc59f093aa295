// SPDX-License-Identifier: GPL-2.0-only
#include "daemon.h"

static int layer_of(const char *unit)
{
	int i;

	for (i = 0; i < L_NLAYERS; i++)
		if (!strcmp(unit, pol_layer_name[i]))
			return i;
	return -1;
}

void sender_identify(const struct conf *c, struct sender *s)
{
	bool daemon = !strcmp(s->org, "underpind");
	int layer = layer_of(s->unit);
	uint32_t i;

	s->kind = SENDER_NONE;
	s->peer = NULL;
	if (daemon && layer < 0)
		return;
	s->layer = daemon ? layer : L_APPLICATION;
	if (!strcmp(s->issuer, c->own.issuer)) {
		s->kind = daemon ? SENDER_UPPER : SENDER_USER;
		return;
	}
	for (i = 0; daemon && i < c->n_peer; i++)
		if (!strcmp(s->issuer, c->peer[i].issuer)) {
			s->kind = SENDER_REMOTE;
			s->peer = &c->peer[i];
			return;
		}
}
