/* SPDX-License-Identifier: GPL-2.0 */
/* What is promised of the machine of root_world.h, whatever the host does. */
#ifndef ROOT_PROMISES_H
#define ROOT_PROMISES_H

#include "root_world.h"

/* A processor's registers that neither VMCS holds. */
struct regs {
	u64 cr2, dr[4], dr6, xcr0;
	u8 x[PAGE_SIZE];		/* extended state */
};

struct regs *r_regs(u32 cpu);

/* What a refused call must leave as it was. */
struct up_before {
	u64 rbx, rcx, owner[TABLE_END];
	struct {
		enum up_vm_state state;
		u32 nvcpus, reports;
		u64 frames, shared, measured;
	} vm[UP_MAX_VMS];
};

void promises_init(u64 host_root);
void promises_exit(void);	/* the present CPU exits, and flushes if it is behind */
void promises_check(void);
void promises_secret(u64 secret);	/* VMs hold that in place of R_SECRET */
u64 promises_seen(void);	/* a digest of what the host sees (tests/proof/sees.h) */
void promises_before_call(struct up_before *b);
void promises_after_call(const struct up_before *b, u64 op, long result);
void promises_end(void);

#endif /* ROOT_PROMISES_H */
