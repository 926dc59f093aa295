/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages for whoever sits at this machine, over plain HTTP: they are read, and change nothing. */
#ifndef USERSPACE_LOOPBACK_H
#define USERSPACE_LOOPBACK_H

#include <microhttpd.h>

struct loopback_site {
	/* Besides style sheets of its own: of Content-Security-Policy, each ended by "; ". */
	const char *may;
	/* Answers a GET of @url by loopback_reply(). */
	enum MHD_Result (*get)(struct loopback_site *site, struct MHD_Connection *mc,
			       const char *url);
};

/**
 * loopback_start() - serve a site at an address of this machine alone
 * @address: 127.0.0.1:PORT or [::1]:PORT: there are no certificates here
 * @flags: of MHD_start_daemon(): whose thread it is
 *
 * Nothing but GET and HEAD is answered, and only for this machine's own names: a page from
 * elsewhere can have its name mean 127.0.0.1, but asks by that name.
 *
 * Return: the server, or NULL: errno is EINVAL if @address is no such one.
 */
struct MHD_Daemon *loopback_start(struct loopback_site *site, const char *address,
				  unsigned int flags);

/**
 * loopback_reply() - answer
 * @type: its media type
 * @text: NUL-terminated, or NULL: there was no memory for it
 * @mode: whose it is then
 */
enum MHD_Result loopback_reply(const struct loopback_site *site, struct MHD_Connection *mc,
			       unsigned int code, const char *type, const char *text,
			       enum MHD_ResponseMemoryMode mode);

/** loopback_say() - answer by a text that stays where it is */
enum MHD_Result loopback_say(const struct loopback_site *site, struct MHD_Connection *mc,
			     unsigned int code, const char *text);

#endif /* USERSPACE_LOOPBACK_H */
