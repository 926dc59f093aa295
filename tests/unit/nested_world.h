/* SPDX-License-Identifier: GPL-2.0 */
/* A machine for tests of nested VMX.  The owner table is an array of flags. */
#ifndef NESTED_WORLD_H
#define NESTED_WORLD_H

#include "l1.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/intercept/caps.h"
#include "vmx/nested/entry.h"
#include "vmx/nested/result.h"
#include "vmx/vmcs/check.h"
#include "vmx/vmcs/msrbitmap.h"
#include "vmx/vmcs/msrlist.h"
#include "vmx/vmcs/reflect.h"
#include "ept/violation.h"

#define W_FRAMES	28672ULL

void w_init(u32 n_cpus);
void w_free(void);

extern bool w_usable[W_FRAMES];
extern u32 w_pool_used;
extern u64 w_pool_limit;

/* What happened to L1 or L2 by the last action. */
struct w_events {
	u32 vector;		/* injected, or ~0 */
	u32 error;
	u64 cr2;
	u32 invvpids, shadow_invepts;
	u64 last_invvpid;
	enum ept_result ept_result;	/* what vm_ept_violation() shall answer */
};

extern struct w_events ev;
void w_events_clear(void);

#endif /* NESTED_WORLD_H */
