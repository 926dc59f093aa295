/* SPDX-License-Identifier: GPL-2.0 */
/* What the layer beneath this host says for a nonce. */
#ifndef ATTEST_LIVE_H
#define ATTEST_LIVE_H

#include "userspace/attest/evidence.h"

/**
 * live_launch() - the launch's key signs for @e->nonce; the launch's log, as it was extended
 * Return: 0, or -1 after a message.
 */
int live_launch(struct evidence *e);

/** live_vm() - and for a VM, over the nonce and zeros.  Return: 0, or -1 after a message */
int live_vm(struct evidence *e, uint32_t id);

#endif /* ATTEST_LIVE_H */
