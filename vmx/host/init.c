// SPDX-License-Identifier: GPL-2.0
/*
 * INIT and SIPI reach a demoted CPU as exits: it takes the state that hardware
 * would give it, and stays demoted (SDM vol. 3, table 10-1; S1.4).
 */
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/host/host.h"
#include "vmx/host/io.h"
#include "vmx/base/log.h"
#include "vmx/nested/nested.h"
#include "vmx/vm/vm.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/base/x86.h"

#define AR_CODE16	0x9bu
#define AR_DATA16	0x93u
#define AR_LDT		0x82u
#define AR_TSS_BUSY	0x8bu
#define INIT_CS_BASE	0xffff0000

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
	{ VMCS_GUEST_DR7, 0x400 },
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

/*
 * Has not one instruction run since SIPI?  INIT is blocked, not dropped, while a
 * processor waits for SIPI (SDM vol. 3, 26.2): one that was sent to a parked CPU may
 * come out right behind the SIPI that followed it.  It came first, and changes nothing.
 */
static bool just_started(void)
{
	return !vmread(VMCS_GUEST_RIP) && vmread(VMCS_GUEST_CS_BASE) != INIT_CS_BASE &&
	       !(vmread(VMCS_GUEST_CR0) & CR0_PE);
}

void host_init(struct percpu *cpu)
{
	if (just_started()) {
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
		return;
	}
	guest_init_state(cpu->gpr);
	nested_cpu_reset(cpu);
	/* DR0-3 and DR6 are not in the VMCS. */
	write_dr0(0);
	write_dr1(0);
	write_dr2(0);
	write_dr3(0);
	write_dr6(0xffff0ff0);
	write_cr2(0);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_WAIT_SIPI);
	__atomic_store_n(&cpu->parked, true, __ATOMIC_RELEASE);
}

void host_sipi(struct percpu *cpu)
{
	u64 vector = vmread(VMCS_EXIT_QUAL) & 0xff;

	/* This exit has begun with a flush: from here on it has to flush like others. */
	__atomic_store_n(&cpu->parked, false, __ATOMIC_RELEASE);
	vmwrite(VMCS_GUEST_CS_SEL, vector << 8);
	vmwrite(VMCS_GUEST_CS_BASE, vector << 12);
	vmwrite(VMCS_GUEST_RIP, 0);
	/* Wait-for-SIPI blocks SMIs; an active processor outside SMM does not. */
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	up_log("CPU %u: started again at %lx, demoted", cpu->cpu, vector << 12);
}

/* The host has shut itself down: what hardware does then is a reset. */
void host_triple_fault(struct percpu *cpu)
{
	up_log("CPU %u: triple fault of the host, RIP %lx: resetting", cpu->cpu,
	       vmread(VMCS_GUEST_RIP));
	if (!vms_forget())
		up_panic("CPU %u: no reset while a protected VM runs", cpu->cpu);
	outb(PORT_RESET, 0x02);
	outb(PORT_RESET, 0x06);
	up_panic("CPU %u: reset did not happen", cpu->cpu);
}
