/* SPDX-License-Identifier: GPL-2.0-only */
/* The physical-layer device (A4) as the infrastructure layer sees it. */
#ifndef PROVIDER_H
#define PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What a ticket says of a device, asked anew for every ticket. */
struct device {
	char host[64];
	uint8_t vm[16];
	uint8_t definition[32];		/* SHA-256 of the VM's definition */
	uint8_t host_id[32];
	uint8_t nonce[32];		/* of the layer's current launch on that host */
	uint8_t image[32];		/* root image that runs there, ... */
	bool image_known;		/* ... if the provider can tell */
	bool challenged;		/* the layer itself asks for a ticket: all below is known */
	uint8_t challenge[32];		/* that it made */
	uint8_t measurement[32];	/* that the VM must have, its vCPUs, ... */
	uint32_t vcpus;
	uint64_t frames;		/* ... and the memory that it may have */
};

struct provider;

struct provider_ops {
	const char *name;
	/* Opens @where; NULL with @e set. */
	struct provider *(*open)(const char *where, struct pol_err *e);
	/* Describes the device at @path: 0, -ENOENT, -EINVAL or -EIO. Thread-safe. */
	int (*describe)(struct provider *p, const char *path, struct device *d,
			struct pol_err *e);
	void (*close)(struct provider *p);
};

struct provider {
	const struct provider_ops *ops;
};

/**
 * provider_open() - open a provider
 * @where: "dir:PATH": for each host a directory PATH/HOST with its "identity"
 *	   and "nonce" (64 hexadecimal digits) and libvirt-style VM definitions
 *	   UUID.xml; a device's path is HOST/UUID. "underpin:PATH": the same of the
 *	   one host on which this daemon runs, but for the nonce: the layer beneath
 *	   it is asked for that, and for the image that runs. Where the layer asks for tickets
 *	   it is asked for a challenge ("dir:": HOST/challenge), and HOST/UUID.grant has
 *	   measurement, vCPUs and frames of the VM, in a line
 *
 * Return: the provider, or NULL with @e set.
 */
struct provider *provider_open(const char *where, struct pol_err *e);

/**
 * provider_dir_describe() - all of a device but its nonce, of a "dir:" provider
 */
int provider_dir_describe(struct provider *p, const char *path, struct device *out,
			  struct pol_err *e);

/**
 * provider_dir_grant() - of that, what a ticket of version 2 has to name, but for the challenge
 */
int provider_dir_grant(struct provider *p, const char *path, struct device *out,
		       struct pol_err *e);

/**
 * provider_dir_check() - does a definition name the VM that its path names?
 * @xml: untrusted bytes
 * @len: how many
 * @uuid: with its dashes
 *
 * The bytes are read as UTF-8 whatever they say of themselves, so that a search of
 * them finds every document type declaration, which is refused.
 *
 * Return: 0 if it is <domain> with <uuid>@uuid</uuid> in it, or -EINVAL.
 */
int provider_dir_check(const char *xml, size_t len, const char *uuid);

extern const struct provider_ops provider_dir, provider_underpin;

#endif
