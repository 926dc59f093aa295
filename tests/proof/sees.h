/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host sees, written down once: of frames whose entry says so, each word; of others
 * nothing.  The proof reads it (tests/proof/world.h), and so do tests (tests/unit/root_promises.c).
 */
#ifndef PROOF_SEES_H
#define PROOF_SEES_H

/* @hosts: the entry of a frame that is the host's own */
#define HOST_SEES(entry, owner, state, hosts) \
	((owner) >= OWNER_VM0 ? (state) == FRAME_SHARED : (entry) == (hosts))

#endif /* PROOF_SEES_H */
