/* SPDX-License-Identifier: GPL-2.0 */
/* The broker's HTTPS: TLS 1.3, two requests. */
#ifndef BROKER_HTTP_H
#define BROKER_HTTP_H

#include "userspace/cli/address.h"

struct http_options {
	const char *release;		/* folder */
	char *certificate, *key;	/* PEM */
	unsigned long lifetime;		/* of a nonce, in seconds */
};

struct MHD_Daemon;

/** http_start() - serve from now on.  Return: NULL if libmicrohttpd cannot */
struct MHD_Daemon *http_start(const struct http_options *o, const struct address *at);

/** http_port() - at which port it listens */
unsigned int http_port(struct MHD_Daemon *d);

/** http_stop() */
void http_stop(struct MHD_Daemon *d);

#endif /* BROKER_HTTP_H */
