/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a VMM with the preloaded library (userspace/preload/) and "underpin vm serve" say to
 * each other over a sequenced-packet socket: one question, one answer.  Whose VM is meant the
 * kernel says (SO_PEERCRED): a VMM can ask for no other.
 */
#ifndef USERSPACE_SERVE_H
#define USERSPACE_SERVE_H

#include <stdint.h>

#define SERVE_SOCKET	"/run/underpin/protect"
#define SERVE_VERSION	1

/* struct serve_ask::flags */
#define SERVE_EXPECT	1u	/* with another measurement it must not run */

struct serve_ask {
	uint32_t version;
	uint32_t flags;
	uint8_t expect[32];
};

struct serve_answer {
	uint32_t version;
	uint32_t failed;	/* and why, in @text */
	uint32_t id;
	uint32_t reserved;
	uint64_t frames;
	uint8_t measurement[32];
	char text[512];		/* NUL-terminated */
};

#endif /* USERSPACE_SERVE_H */
