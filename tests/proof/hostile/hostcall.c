// SPDX-License-Identifier: GPL-2.0
/* The host's calls, with any registers. */
#include "tests/proof/hostile/root.h"
#include "vmx/host/call.c"

#define SAYS(function)	bool function(void) { return any; }
SAYS(vms_closed)
SAYS(iommu_give)

static const u8 key[32], *public;
const u8 *key_public(void)
{
	return public;
}

struct percpu *cpus[UP_MAX_CPUS];
u32 ncpus;
static struct percpu cpu;

void hostile(void)
{
	u32 i, has_key;

	ncpus = any % (UP_MAX_CPUS + 1);
	for (i = 0; i < UP_MAX_CPUS; i++)
		cpus[i] = any ? &cpu : NULL;
	for (has_key = 0; has_key < 2; has_key++) {
		public = has_key ? key : NULL;
		cpu.demoted = any;
		cpu.nested.vmxon = any;
		for (i = 0; i < NR_GPRS; i++)
			cpu.gpr[i] = any;
		up_call(&cpu);
	}
}
