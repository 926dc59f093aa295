// SPDX-License-Identifier: GPL-2.0
/*
 * Whose tickets protected VMs need (docs/ticket.md): part of the configuration that is measured
 * into PCR 19, so that it cannot be another than evidence says.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "module.h"

static char *ticket_authority;
module_param(ticket_authority, charp, 0400);
MODULE_PARM_DESC(ticket_authority,
		 "Ed25519 public key in hexadecimal: no VM is protected without a ticket by it");

static char *host_identity;
module_param(host_identity, charp, 0400);
MODULE_PARM_DESC(host_identity, "what tickets name as this host: 64 hexadecimal digits");

static unsigned char authority[32], host[32];

static int read_hex(const char *name, const char *text, unsigned char bytes[32])
{
	if (!text)
		return 0;
	if (strlen(text) == 64 && !hex2bin(bytes, text, 32) && memchr_inv(bytes, 0, 32))
		return 0;
	pr_err("refused: %s is not 64 hexadecimal digits: load with %s=HEX\n", name, name);
	return -EINVAL;
}

int up_tickets_read(void)
{
	int err = read_hex("ticket_authority", ticket_authority, authority);

	if (!err)
		err = read_hex("host_identity", host_identity, host);
	if (!err && ticket_authority && !host_identity) {
		pr_err("refused: tickets name a host: load with host_identity=HEX, too\n");
		err = -EINVAL;
	}
	return err;
}

void up_tickets_configure(struct up_config *cfg)
{
	memcpy(cfg->authority, authority, sizeof(cfg->authority));
	memcpy(cfg->host, host, sizeof(cfg->host));
}
