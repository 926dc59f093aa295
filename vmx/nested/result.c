// SPDX-License-Identifier: GPL-2.0
/* See result.h. */
#include "vmx/nested/result.h"
#include "vmx/vmcs/vvmcs.h"

void vm_fail(struct percpu *cpu, u32 error)
{
	struct vvmcs *vv = cpu->nested.current;

	if (!vv) {
		vm_fail_invalid();
		return;
	}
	vv->f[ROW_INSN_ERROR] = error;
	vm_finish(RFLAGS_ZF);
}
