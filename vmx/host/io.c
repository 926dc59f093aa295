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
	if (port_moves_sleep(port, size, port_in(PORT_PCI_ADDRESS, 4))) {
		up_log("denied: move of the ACPI ports");
		return true;
	}
	if (!vms_present())
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

/* Outside 64-bit code a segment has its say (SDM vol. 3, section 5.3 to 5.5). */
static bool segment_allows(u32 seg, u64 offset, u32 size, bool write)
{
	u64 ar = vmread(VMCS_GUEST_ES_AR + 2 * seg);
	bool code = ar & SEG_AR_CODE, writable = !code && (ar & SEG_AR_RW);

	/* One that grows downwards has no use here. */
	return !(ar & SEG_AR_UNUSABLE) && (write ? writable : !code || (ar & SEG_AR_RW)) &&
	       (code || !(ar & SEG_AR_DOWN)) &&
	       offset + size - 1 <= vmread(VMCS_GUEST_ES_LIMIT + 2 * seg);
}

/* The memory operand of INS or OUTS is at @la: may it be used? */
static bool string_operand(u64 qual, u32 info, u64 offset, u64 la)
{
	u32 size = IO_SIZE(qual), seg = qual & IO_IN ? SEG_ES : INFO_SEGMENT(info);
	bool la57 = vmread(VMCS_GUEST_CR4) & CR4_LA57;

	if (guest_64bit() ? la_canonical(la, la57) && la_canonical(la + size - 1, la57) :
			    segment_allows(seg, offset, size, qual & IO_IN))
		return true;
	inject_exception(seg == SEG_SS ? VEC_SS : VEC_GP, true, 0);
	return false;
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

/* One element of INS or OUTS; for its next one a REP exits again. */
static void string_io(struct percpu *cpu, u64 qual)
{
	static const u64 address_mask[8] = { 0xffff, 0xffffffff, ~0ULL };
	u32 info = (u32)vmread(VMCS_EXIT_INSN_INFO), size = IO_SIZE(qual);
	u64 mask = address_mask[INFO_ADDR_SIZE(info)], *at = &cpu->gpr[qual & IO_IN ? RDI : RSI];
	u64 *rcx = &cpu->gpr[RCX], kept = mask == 0xffff ? ~mask : 0, count = *rcx & mask;
	u64 la = vmread(VMCS_GUEST_LINEAR);

	if (!(vmread(VMCS_GUEST_EFER) & EFER_LMA) || INFO_ADDR_SIZE(info) > 2) {
		up_log("denied: string I/O to port %x outside long mode", IO_PORT(qual));
		inject_gp();
		return;
	}
	if ((qual & IO_REP) && !count) {
		step_over();
		return;
	}
	if (!string_operand(qual, info, *at & mask, la) || !string_element(qual, la))
		return;
	*at = (*at & kept) |
	      ((vmread(VMCS_GUEST_RFLAGS) & RFLAGS_DF ? *at - size : *at + size) & mask);
	if (qual & IO_REP)
		*rcx = (*rcx & kept) | (count - 1);
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
