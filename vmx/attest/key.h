/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launch's own Ed25519 key: made once, by the first CPU that comes, and erased before the
 * first one leaves.  Its private half is nowhere but here.
 */
#ifndef VMX_KEY_H
#define VMX_KEY_H

#include "vmx/abi/call.h"
#include "vmx/base/types.h"

#define KEY_MESSAGE	sizeof(struct up_vm_report)	/* the longest that is signed */

/* Whose signature is on its way: one of the host's, one of each VM's own. */
#define KEY_HOST	UP_MAX_VMS
#define KEY_SLOTS	(UP_MAX_VMS + 1)

/**
 * key_make() - the key of this launch, from the processor's and the host's random bytes
 *
 * Erases the latter.  Without a processor's random bytes there is none: unrooted.
 */
void key_make(void);

/** key_public() - the public half, or NULL: there is no key */
const u8 *key_public(void);

/** key_random() - 32 bytes that nobody foresees.  Return: false: the processor has none */
bool key_random(u8 bytes[32]);

/** key_nonce() - SHA-256 of the public half: what tells this launch from others */
void key_nonce(u8 nonce[32]);

/**
 * key_sign() - the next piece of a signature, some 100 us at most
 * @slot: below KEY_SLOTS; its user's lock is held
 * @message: @len bytes, KEY_MESSAGE at most; another one than before begins anew
 *
 * Return: -UP_EAGAIN: call again; -UP_EPERM: there is no key; 0: @signature is made.
 */
long key_sign(u32 slot, const void *message, u32 len, u8 signature[64]);

/** key_erase() - the first that leaving does, before any CPU is the host's again */
void key_erase(void);

#endif /* VMX_KEY_H */
