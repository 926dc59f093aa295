/* SPDX-License-Identifier: GPL-2.0-only */
/* A page that shows a daemon to whoever sits at its machine; it changes nothing. */
#ifndef STATUS_H
#define STATUS_H

#include "daemon.h"

struct status;

/**
 * status_open() - serve the page
 * @d: what is shown; begins to remember what it is asked
 * @address: 127.0.0.1:PORT or [::1]:PORT: there are no certificates here
 *
 * In the daemon's loop, over plain HTTP, for the names of this machine alone, lest a page
 * from elsewhere read it under a name of its own.
 *
 * Return: it, or NULL with @e set.
 */
struct status *status_open(struct daemon *d, const char *address, struct pol_err *e);
void status_close(struct status *s);

/* The page, of HTML and SVG alone; to be freed, or NULL without memory. */
char *status_page(struct daemon *d);

/* One request's way as a picture; NULL if it is not remembered. */
char *status_request_page(struct daemon *d, const char *id);

/* What both look like. */
extern const char status_css[];

#endif
