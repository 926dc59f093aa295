// SPDX-License-Identifier: GPL-2.0-only
/* Pages for whoever sits at this machine: who may ask, and what a browser may do with them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "userspace/cli/address.h"
#include "userspace/loopback/loopback.h"

#define CONNECTIONS	16u
#define IDLE_SECONDS	10u
#define POLICY_MAX	256

enum MHD_Result loopback_reply(const struct loopback_site *site, struct MHD_Connection *mc,
			       unsigned int code, const char *type, const char *text,
			       enum MHD_ResponseMemoryMode mode)
{
	static const char *const headers[][2] = {
		{ "X-Content-Type-Options", "nosniff" }, { "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" }, { "Cache-Control", "no-store" },
	};
	char policy[POLICY_MAX];
	struct MHD_Response *r;
	enum MHD_Result ret;
	size_t i;

	r = text ? MHD_create_response_from_buffer(strlen(text), (char *)text, mode) : NULL;
	if (!r)
		return MHD_NO;
	/* A name that got past escaping would still be no script, and load nothing. */
	snprintf(policy, sizeof(policy), "default-src 'none'; style-src 'self'; %sbase-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		 site->may);
	MHD_add_response_header(r, "Content-Security-Policy", policy);
	MHD_add_response_header(r, "Content-Type", type);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(r, headers[i][0], headers[i][1]);
	ret = MHD_queue_response(mc, code, r);
	MHD_destroy_response(r);
	return ret;
}

enum MHD_Result loopback_say(const struct loopback_site *site, struct MHD_Connection *mc,
			     unsigned int code, const char *text)
{
	return loopback_reply(site, mc, code, "text/plain; charset=utf-8", text,
			      MHD_RESPMEM_PERSISTENT);
}

static bool is_this_machine(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
	size_t i, n;

	for (i = 0; host && i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]);
		if (!strncasecmp(host, names[i], n) && (!host[n] || host[n] == ':'))
			return true;
	}
	return false;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *mc, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **ctx)
{
	struct loopback_site *site = cls;

	(void)version;
	(void)data;
	(void)size;
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return loopback_say(site, mc, MHD_HTTP_METHOD_NOT_ALLOWED,
				    "there is nothing to do here\n");
	if (!*ctx) {
		*ctx = site;
		return MHD_YES;
	}
	if (!is_this_machine(MHD_lookup_connection_value(mc, MHD_HEADER_KIND, "Host")))
		return loopback_say(site, mc, MHD_HTTP_FORBIDDEN,
				    "ask for 127.0.0.1, localhost or [::1]\n");
	return site->get(site, mc, url);
}

static bool is_loopback(const struct address *a)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->at;

	if (a->at.ss_family == AF_INET)
		return v4->sin_addr.s_addr == htonl(INADDR_LOOPBACK) && v4->sin_port;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) && v6->sin6_port;
}

struct MHD_Daemon *loopback_start(struct loopback_site *site, const char *address,
				  unsigned int flags)
{
	struct address a;

	if (!address_read(&a, address) || !is_loopback(&a)) {
		errno = EINVAL;
		return NULL;
	}
	return MHD_start_daemon(flags | (a.at.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL,
				NULL, handle, site, MHD_OPTION_SOCK_ADDR, &a.at,
				MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
}
