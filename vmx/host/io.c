// SPDX-License-Identifier: GPL-2.0
/*
 * Ports that end the layer with every frame readable.  The ACPI PM1 control port:
 * S3 and S4 resume outside the layer, so they are denied while a protected VM exists.
 * The reset ports: the VMs are forgotten first.
 */
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/host/host.h"
#include "vmx/host/io.h"
#include "vmx/base/log.h"
#include "vmx/vm/vm.h"
#include "vmx/cpu/vmcs.h"

#define IO_SIZE(q)	((u32)((q) & 7) + 1)
#define IO_IN(q)	((q) & BIT(3))
#define IO_STRING(q)	((q) & BIT(4))
#define IO_PORT(q)	((u16)((q) >> 16))
#define PM1_SLP_EN	BIT(13)
#define RESET_CPU	BIT(2)
#define KEYBOARD_WRITE_LINES	0xd1
#define KEYBOARD_PULSE_MASK	0xf1
#define KEYBOARD_PULSE_RESET	0xf0	/* bit 0, the reset line, low */

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

/* Does this access set SLP_EN?  An access may start below or inside the register. */
static bool starts_sleep(u16 port, u32 size, u64 val)
{
	u32 regs[2] = { up_config.pm1a_cnt, up_config.pm1b_cnt };
	u32 i, byte;

	for (i = 0; i < 2; i++) {
		byte = regs[i] + 1 - port;	/* of the access that holds bits 15:8 */
		if (regs[i] && byte < size && (val >> (8 * byte)) & (PM1_SLP_EN >> 8))
			return true;
	}
	return false;
}

/*
 * The chipset's reset control register, which is not reached by the aligned double word
 * of PCI configuration below it; the keyboard controller's pulse of the reset line, and
 * its command after which a byte sets that line.  Other means: docs/memory.md.
 */
static bool resets(u16 port, u32 size, u64 val)
{
	u32 byte = PORT_RESET - port;

	if (byte < size && !(size == 4 && port == PORT_PCI_ADDRESS))
		return val >> (8 * byte) & RESET_CPU;
	byte = PORT_KEYBOARD - port;
	val = val >> (8 * (byte & 3)) & 0xff;
	return byte < size && ((val & KEYBOARD_PULSE_MASK) == KEYBOARD_PULSE_RESET ||
			       val == KEYBOARD_WRITE_LINES);
}

static bool denied(u16 port, u32 size, u64 val)
{
	if (!vms_present())
		return false;
	if (starts_sleep(port, size, val)) {
		up_log("denied: sleep state while protected VMs exist");
		return true;
	}
	if (resets(port, size, val) && !vms_forget()) {
		up_log("denied: reset while a protected VM runs");
		return true;
	}
	return false;
}

void host_io(struct percpu *cpu)
{
	u64 qual = vmread(VMCS_EXIT_QUAL);
	u32 size = IO_SIZE(qual);
	u64 mask = MASK(8 * size - 1, 0);
	u64 *rax = &cpu->gpr[RAX];

	if (IO_STRING(qual)) {
		up_log("denied: string I/O to port %x", IO_PORT(qual));
		inject_gp();
		return;
	}
	if (IO_IN(qual))
		*rax = (size == 4 ? 0 : *rax & ~mask) | (port_in(IO_PORT(qual), size) & mask);
	else if (!denied(IO_PORT(qual), size, *rax & mask))
		port_out(IO_PORT(qual), size, (u32)*rax);
	advance_rip();
}
