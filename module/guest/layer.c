// SPDX-License-Identifier: GPL-2.0
/*
 * The layer beneath, by VMCALL (vmx/call.h).
 *
 * Nothing here proves that a layer exists: a host that lies can answer the same.
 * It can only lie to a VM that it can read anyway, and the VM's owner learns the
 * truth by attestation.
 */
#include "call.h"
#include "errno.h"
#include "fw.h"

#define SHARE_BATCH	16		/* pages a call: each is zeroed, in bounded time */
#define PATIENCE	1000000		/* repeated calls while flushes are pending */
#define PORT_DELAY	0x80		/* an exit to the host, so that it can do its flushes */

s64 guest_call(u64 op, u64 rbx, u64 rcx, u64 *out_rbx);

static bool present;

/** layer_present() - whether a layer answered layer_find() */
bool layer_present(void)
{
	return present;
}

/** layer_find() - ask for the layer and tell the console which it is */
void layer_find(void)
{
	u64 version = 0;
	s64 err = guest_call(UP_GUEST_PRESENT, 0, 0, &version);

	if (err == 0 && version == UP_ABI_VERSION) {
		present = true;
		say("underpin-fw: protected, layer ABI ");
		say_dec(version);
		say("\n");
		return;
	}
	if (err == 0)
		say("underpin-fw: what answers beneath is no layer of this ABI\n");
	say("underpin-fw: UNPROTECTED: no layer answers; the host can read this machine\n");
}

static void call_until_done(const char *what, u64 op, u64 gfn, u64 count)
{
	u64 unused;
	s64 err = -UP_EAGAIN;
	unsigned int i;

	for (i = 0; i < PATIENCE && err == -UP_EAGAIN; i++) {
		err = guest_call(op, gfn, count, &unused);
		if (err == -UP_EAGAIN)
			outb(PORT_DELAY, 0);
	}
	if (err == -UP_EAGAIN)
		fail(what, "the layer is still waiting for the host's flushes");
	if (err)
		fail(what, "refused by the layer");
}

static void in_batches(const char *what, u64 op, u64 gfn, u64 count)
{
	u64 n;

	if (!present)
		return;
	for (; count; gfn += n, count -= n) {
		n = count < SHARE_BATCH ? count : SHARE_BATCH;
		call_until_done(what, op, gfn, n);
	}
}

/** layer_share() - let the host see these frames, zeroed; nothing to do without a layer */
void layer_share(u64 gfn, u64 count)
{
	in_batches("sharing the window", UP_GUEST_SHARE, gfn, count);
}

/** layer_unshare() - take them back, zeroed */
void layer_unshare(u64 gfn, u64 count)
{
	in_batches("closing the window", UP_GUEST_UNSHARE, gfn, count);
}

/** layer_report() - one digest into the VM's runtime measurement */
void layer_report(unsigned int index, const u8 digest[32])
{
	if (present)
		call_until_done("reporting a digest", UP_GUEST_REPORT, index, (u64)digest);
}
