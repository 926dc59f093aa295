/* SPDX-License-Identifier: GPL-2.0 */
/* A folder of secrets, NAME.secret each, and what a VM must be that gets one: NAME.policy. */
#ifndef BROKER_RELEASE_H
#define BROKER_RELEASE_H

#include "userspace/attest/policy.h"
#include "userspace/attest/seal.h"

struct release {
	struct policy policy;
	uint8_t secret[SECRET_MAX];
	size_t len;
};

/**
 * release_read() - one of them, as the files are now
 * @name: was found good
 *
 * Return: NULL, or what is wrong; then there is nothing to free.
 */
const char *release_read(struct release *r, const char *folder, const char *name);

/** release_free() - and erase */
void release_free(struct release *r);

/** release_check() - all of a folder.  Return: how many, or -1 after a message */
int release_check(const char *folder);

#endif /* BROKER_RELEASE_H */
