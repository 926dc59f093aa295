// SPDX-License-Identifier: GPL-2.0
/*
 * Ports that end the layer with every frame readable.  The ACPI PM1 control port:
 * S3 and S4 resume outside the layer, so they are denied while a protected VM exists; that
 * port stays where it is.
 * The reset ports: the VMs are forgotten first.
 */
#include "vmx/host/host.h"
#include "vmx/base/asm.h"
#include "vmx/base/lock.h"
#include "vmx/base/log.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/operand.h"
#include "vmx/cpu/paging.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/intercept/port.h"
#include "vmx/nested/l1mem.h"
#include "vmx/vm/vm.h"

static bool denied(u16 port, u32 size, u64 val)
{
	if (port_moves_sleep(port, size)) {
		up_log("denied: move of the ACPI ports");
		return true;
	}
	if (!vms_count())
		return false;
	if (port_sleeps(port, size, val)) {
		up_log("denied: sleep state while protected VMs exist");
		return true;
	}
	if (port_resets(port, size, val) && !vms_forget()) {
		up_log("denied: reset while a protected VM runs");
		return true;
	}
	return false;
}

/* PCI configuration takes an address in one port and data in another: one CPU at a time. */
static void host_out(u16 port, u32 size, u64 val)
{
	static struct spinlock lock;

	spin_lock(&lock);
	if (!denied(port, size, val))
		port_out(port, size, (u32)val);
	spin_unlock(&lock);
}

/* Return: false: it faulted, or is to be run again */
static bool string_element(u64 qual, u64 la)
{
	u32 size = IO_SIZE(qual);
	u64 val = 0;

	if (qual & IO_IN) {
		/* A byte that was read is gone: first see that it has a place. */
		if (l1_may_write(la, size))
			return false;
		val = port_in(IO_PORT(qual), size);
		return !l1_write(la, &val, size);
	}
	if (l1_read(la, &val, size))
		return false;
	host_out(IO_PORT(qual), size, val);
	return true;
}

/*
 * One element of INS or OUTS in 64-bit code; for its next one a REP exits again.  In 32-bit
 * code nobody has a use for them at these ports, and segments would have their say.
 */
static void string_io(struct percpu *cpu, u64 qual)
{
	u32 info = (u32)vmread(VMCS_EXIT_INSN_INFO), size = IO_SIZE(qual);
	u64 mask = INFO_ADDR_SIZE(info) == 2 ? ~0ULL : 0xffffffff, la = vmread(VMCS_GUEST_LINEAR);
	u64 *at = &cpu->gpr[qual & IO_IN ? RDI : RSI], count = cpu->gpr[RCX] & mask;
	bool la57 = vmread(VMCS_GUEST_CR4) & CR4_LA57;

	if (!guest_64bit() || !la_canonical(la, la57) || !la_canonical(la + size - 1, la57)) {
		up_log_seldom("denied: string I/O to port %x", IO_PORT(qual));
		inject_gp();
		return;
	}
	if ((qual & IO_REP) && !count) {
		step_over();
		return;
	}
	if (!string_element(qual, la))
		return;
	*at = (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_DF ? *at - size : *at + size) & mask;
	if (qual & IO_REP)
		cpu->gpr[RCX] = count - 1;
	if ((qual & IO_REP) && count > 1)
		retire(0, 0, RFLAGS_RF);
	else
		step_over();
}

void host_io(struct percpu *cpu)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);
	u32 size = IO_SIZE(qual);
	u64 mask = MASK(8 * size - 1, 0);
	u64 *rax = &cpu->gpr[RAX];

	if (qual & IO_STRING) {
		string_io(cpu, qual);
		return;
	}
	if (qual & IO_IN)
		*rax = (size == 4 ? 0 : *rax & ~mask) | (port_in(IO_PORT(qual), size) & mask);
	else
		host_out(IO_PORT(qual), size, *rax & mask);
	step_over();
}
