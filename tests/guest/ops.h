/* SPDX-License-Identifier: GPL-2.0 */
/* What tests/guest/ops.c and its guest, ops.S, agree on.  Addresses are guest-physical. */
#ifndef OPS_H
#define OPS_H

#define OPS_MEMORY	0x400000
#define OPS_PML4	0x2000	/* and the same once more in the next page */
#define OPS_PDPT	0x4000
#define OPS_PD		0x5000
#define OPS_PT		0x6000	/* of the 2 MiB at OPS_FAULT */
#define OPS_IDT		0x7000
#define OPS_GDT		0x8000
#define OPS_STACK	0xa000	/* of the first vCPU; that of the second ends a page higher */
#define OPS_CODE	0x10000
#define OPS_FAULT	0x200000	/* not present when the guest starts */
#define OPS_MMIO	0x20000000	/* nothing is there */
#define OPS_EVENTFD	0x20001000

#define OPS_TICKS	0x1000	/* what all operations took */
#define OPS_COUNT	0x1008	/* interrupts or page faults that came */
#define OPS_READY	0x1010	/* the second vCPU waits for interrupts */
#define OPS_PAUSE	0x1018	/* ticks after which a vCPU that waits is asleep */
#define OPS_SAW		0x1020	/* an exception: its vector, and two words of its stack */

#define OPS_PORT	0x10	/* an operation */
#define OPS_PORT_DONE	0xf4
#define OPS_PORT_SAW	0xf5

#define OPS_VECTOR	0x40
#define OPS_STUB	16	/* bytes */

#endif
