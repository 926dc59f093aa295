// SPDX-License-Identifier: GPL-2.0
/*
 * The layer beneath, by VMCALL (vmx/abi/call.h).
 *
 * Nothing here proves that a layer exists: a host that lies can answer the same.
 * It can only lie to a VM that it can read anyway, and the VM's owner learns the
 * truth by attestation.
 */
#include "vmx/abi/call.h"
#include "vmx/abi/errno.h"
#include "fw.h"

#define PATIENCE	100000		/* rounds while flushes are pending */
#define PORT_DELAY	0x80		/* an exit to the host, so that it can do its flushes */

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

	present = err == 0 && version == UP_ABI_VERSION;
	if (present) {
		say("underpin-fw: protected, layer ABI ");
		say_dec(version);
		say("\n");
		return;
	}
	if (err == 0)
		say("underpin-fw: what answers beneath is no layer of this ABI\n");
	say("underpin-fw: UNPROTECTED: no layer answers; the host can read this machine\n");
}

static s64 call(u64 op, u64 rbx, u64 rcx)
{
	u64 unused;

	return guest_call(op, rbx, rcx, &unused);
}

/*
 * One page a call, so that a page that must wait for a flush holds up no other:
 * once all have been asked for, one flush of the host's serves them all.
 */
static void change_window(const char *what, u64 op, u64 gfn)
{
	bool done[FW_WINDOW_PAGES] = { false };
	u64 page, left = FW_WINDOW_PAGES;
	unsigned int turn;
	s64 err;

	for (turn = 0; turn < PATIENCE; turn++) {
		for (page = 0; page < FW_WINDOW_PAGES; page++) {
			if (done[page])
				continue;
			err = call(op, gfn + page, 1);
			if (err && err != -UP_EAGAIN)
				fail(what, "refused by the layer");
			done[page] = !err;
			left -= !err;
		}
		if (!left)
			return;
		outb(PORT_DELAY, 0);
	}
	fail(what, "the layer still waits for the host's flushes");
}

/** layer_share() - let the host see the window, zeroed; nothing to do without a layer */
void layer_share(void)
{
	if (present)
		change_window("sharing the window", UP_GUEST_SHARE, FW_WINDOW / PAGE_SIZE);
}

/** layer_unshare() - take it back, zeroed */
void layer_unshare(void)
{
	if (present)
		change_window("closing the window", UP_GUEST_UNSHARE, FW_WINDOW / PAGE_SIZE);
}

/**
 * layer_ghci() - from here on the layer speaks the GHCI; KVM fetches from FW_STUB
 * Return: how many vCPUs the VM has
 */
u32 layer_ghci(void)
{
	unsigned int turn;
	u64 vcpus = 0;
	s64 err;

	for (turn = 0; turn < PATIENCE; turn++) {
		err = guest_call(UP_GUEST_GHCI, FW_STUB / PAGE_SIZE, 0, &vcpus);
		if (!err)
			return (u32)vcpus;
		if (err != -UP_EAGAIN)
			fail("asking for the GHCI", "refused by the layer");
		outb(PORT_DELAY, 0);
	}
	fail("asking for the GHCI", "the layer still waits for the host's flushes");
}

/**
 * layer_report() - one digest into the VM's runtime measurement
 * @digest: within one page
 */
void layer_report(unsigned int index, const u8 digest[32])
{
	if (present && call(UP_GUEST_REPORT, index, (u64)digest))
		fail("reporting a digest", "refused by the layer");
}
