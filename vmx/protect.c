// SPDX-License-Identifier: GPL-2.0
/* Protected vCPUs: closed until their state is kept. */
#include "protect.h"
#include "errno.h"

int protect_entry(struct percpu *cpu, struct vvmcs *vv)
{
	(void)cpu;
	(void)vv;
	return -UP_EPERM;
}

bool protect_exit(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	(void)cpu;
	(void)vv;
	(void)reason;
	return false;
}

void protect_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	(void)cpu;
	(void)vv;
	(void)reason;
}
