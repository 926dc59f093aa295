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
#include "vmx/cpu/vmcs.h"
#include "vmx/intercept/port.h"
#include "vmx/vm/vm.h"

static u32 port_in(u16 port, u32 size)
{
	u32 val = ~0u;

	if (size == 1)
		val = inb(port);
	else if (size == 2)
		__asm__ __volatile__("inw %w1, %w0" : "=a"(val) : "Nd"(port));
	else
		__asm__ __volatile__("inl %w1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static void port_out(u16 port, u32 size, u32 val)
{
	if (size == 1)
		outb(port, (u8)val);
	else if (size == 2)
		__asm__ __volatile__("outw %w0, %w1" : : "a"(val), "Nd"(port));
	else
		__asm__ __volatile__("outl %0, %w1" : : "a"(val), "Nd"(port));
}

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

void host_io(struct percpu *cpu)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);
	u32 size = IO_SIZE(qual);
	u64 mask = MASK(8 * size - 1, 0);
	u64 *rax = &cpu->gpr[RAX];

	if (qual & IO_STRING) {
		up_log("denied: string I/O to port %x", IO_PORT(qual));
		inject_gp();
		return;
	}
	if (qual & IO_IN)
		*rax = (size == 4 ? 0 : *rax & ~mask) | (port_in(IO_PORT(qual), size) & mask);
	else
		host_out(IO_PORT(qual), size, *rax & mask);
	advance_rip();
}
