/* SPDX-License-Identifier: GPL-2.0 */
/* A table that hardware uses for a VM: shadow.c's, or protected.c's. */
#ifndef EPT_VM_EPT_H
#define EPT_VM_EPT_H

#include "ept/owner.h"
#include "ept/table.h"

struct vm_ept {
	u64 root;		/* 0: none yet */
	u64 eptp12;		/* shadow: whose; 0: nobody's */
	struct owner *owner;	/* protected VM's: whose; NULL: a shadow */
	bool filled;		/* maps something */
	u32 index;		/* in every CPU's seen[] */
	u32 users;		/* shadow: CPUs that use it; under frames_lock */
	u64 last_use;
	u64 gen;		/* counts how often it was emptied */
};

/** vm_ept_eptp() - the EPTP value for VMCS02 */
static inline u64 vm_ept_eptp(const struct vm_ept *t)
{
	return t->root | EPTP_FLAGS;
}

#endif /* EPT_VM_EPT_H */
