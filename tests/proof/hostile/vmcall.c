// SPDX-License-Identifier: GPL-2.0
/* A guest's calls, with any registers. */
#include "tests/proof/hostile/root.h"
#include "vmx/vm/call.c"

bool guest_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	memset(buf, any, len);
	return any;
}

void hostile(void)
{
	static struct percpu cpu;
	static struct vcpu v;
	static struct vm vm;
	u32 i;

	v.vm = &vm;
	vm.ghci = any;
	for (i = 0; i < NR_GPRS; i++)
		cpu.gpr[i] = any;
	protect_call(&cpu, &v);
}
