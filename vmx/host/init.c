// SPDX-License-Identifier: GPL-2.0
/*
 * INIT and SIPI reach a demoted CPU as exits: it takes the state that hardware
 * would give it, and stays demoted (SDM vol. 3, table 10-1; S1.4).
 */
#include "vmx/base/cpus.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/reset_state.h"
#include "vmx/host/host.h"
#include "vmx/intercept/port.h"
#include "vmx/base/log.h"
#include "vmx/nested/nested.h"
#include "vmx/vm/vm.h"

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
	host_forget_translations();
	/* DR0-3 and DR6 are not in the VMCS. */
	write_dr0(0);
	write_dr1(0);
	write_dr2(0);
	write_dr3(0);
	write_dr6(DR6_RESET);
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
	host_forget_translations();
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
