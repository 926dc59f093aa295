/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ticket of version 2, as UP_CALL_VM_TICKET takes it: docs/ticket.md.  What is for audit is
 * signed with the rest, and no part of what the layer compares.
 */
#ifndef VMX_ABI_TICKET_H
#define VMX_ABI_TICKET_H

#define UP_TICKET_MAGIC		0x32544b4349545055ull	/* "UPTICKT2" */
#define UP_TICKET_VERSION	2
#define UP_TICKET_SIGNED	352		/* bytes, to the signature */
#define UP_TICKET_LIFETIME	(1ull << 44)	/* less than this: an hour or so */

struct up_ticket {
	unsigned long long magic;
	unsigned short version;
	unsigned short size;		/* of this structure */
	unsigned int flags;		/* 0 */
	unsigned char vm[16];		/* for audit: its UUID */
	unsigned char definition[32];	/* for audit: SHA-256 of its definition */
	unsigned char host[32];
	unsigned char image[32];	/* SHA-256 of the root image that must run there */
	unsigned char nonce[32];	/* of the launch */
	unsigned char challenge[32];	/* that the layer made */
	unsigned char measurement[32];
	unsigned long long lifetime;	/* TSC ticks from the challenge on */
	unsigned long long frames;	/* that the VM may have, at most */
	unsigned int vcpus;		/* exactly */
	unsigned int reserved;		/* 0 */
	unsigned char role[64];		/* for audit */
	unsigned long long issued;	/* for audit: seconds since 1970 */
	unsigned char issuer[32];	/* for audit: SHA-256 of the authority's key */
	unsigned char signature[64];	/* Ed25519 by the authority, of all before it */
};

#endif /* VMX_ABI_TICKET_H */
