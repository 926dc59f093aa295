// SPDX-License-Identifier: GPL-2.0
/* See reset_state.h (SDM vol. 3, table 10-1). */
#include "vmx/cpu/reset_state.h"
#include "vmx/base/asm.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/vmcs.h"

#define AR_CODE16	0x9bu
#define AR_DATA16	0x93u
#define AR_LDT		0x82u
#define AR_TSS_BUSY	0x8bu

/* One row a field: the state of a processor after INIT. */
static const struct {
	u32 field;
	u64 val;
} init_state[] = {
	{ VMCS_GUEST_CR0, CR0_CD | CR0_NW | CR0_ET | CR0_NE },
	{ VMCS_CR0_SHADOW, CR0_CD | CR0_NW | CR0_ET },
	{ VMCS_GUEST_CR3, 0 },
	{ VMCS_GUEST_CR4, CR4_VMXE },
	{ VMCS_CR4_SHADOW, 0 },
	{ VMCS_GUEST_DR7, DR7_RESET },
	{ VMCS_GUEST_RFLAGS, RFLAGS_FIXED },
	{ VMCS_GUEST_RIP, 0xfff0 },
	{ VMCS_GUEST_RSP, 0 },
	{ VMCS_GUEST_CS_SEL, 0xf000 },
	{ VMCS_GUEST_CS_BASE, INIT_CS_BASE },
	{ VMCS_GUEST_LDTR_SEL, 0 },
	{ VMCS_GUEST_LDTR_BASE, 0 },
	{ VMCS_GUEST_LDTR_LIMIT, 0xffff },
	{ VMCS_GUEST_LDTR_AR, AR_LDT },
	{ VMCS_GUEST_TR_SEL, 0 },
	{ VMCS_GUEST_TR_BASE, 0 },
	{ VMCS_GUEST_TR_LIMIT, 0xffff },
	{ VMCS_GUEST_TR_AR, AR_TSS_BUSY },
	{ VMCS_GUEST_GDTR_BASE, 0 },
	{ VMCS_GUEST_GDTR_LIMIT, 0xffff },
	{ VMCS_GUEST_IDTR_BASE, 0 },
	{ VMCS_GUEST_IDTR_LIMIT, 0xffff },
	{ VMCS_GUEST_DEBUGCTL, 0 },
	{ VMCS_GUEST_EFER, 0 },
	{ VMCS_GUEST_SYSENTER_CS, 0 },
	{ VMCS_GUEST_SYSENTER_ESP, 0 },
	{ VMCS_GUEST_SYSENTER_EIP, 0 },
	{ VMCS_GUEST_INTERRUPTIBILITY, 0 },
	{ VMCS_GUEST_PENDING_DBG, 0 },
	{ VMCS_ENTRY_INTR_INFO, 0 },
};

void guest_init_state(u64 gpr[NR_GPRS])
{
	u32 i, r[4];

	for (i = 0; i < ARRAY_SIZE(init_state); i++)
		vmwrite(init_state[i].field, init_state[i].val);
	/* ES CS SS DS FS GS: encodings are 2 apart. */
	for (i = 0; i < 6; i++) {
		if (i != 1) {
			vmwrite(VMCS_GUEST_ES_SEL + 2 * i, 0);
			vmwrite(VMCS_GUEST_ES_BASE + 2 * i, 0);
		}
		vmwrite(VMCS_GUEST_ES_LIMIT + 2 * i, 0xffff);
		vmwrite(VMCS_GUEST_ES_AR + 2 * i, i == 1 ? AR_CODE16 : AR_DATA16);
	}
	vmwrite(VMCS_ENTRY_CTLS, vmread(VMCS_ENTRY_CTLS) & ~(u64)ENTRY_IA32E);
	for (i = 0; i < NR_GPRS; i++)
		gpr[i] = 0;
	cpuid(1, 0, r);
	gpr[RDX] = r[0];
}
