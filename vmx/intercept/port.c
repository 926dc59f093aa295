// SPDX-License-Identifier: GPL-2.0
/* Ports that end the layer with every frame readable: see port.h. */
#include "vmx/intercept/port.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/cpu/bitmap.h"
#include "vmx/cpu/vmcs.h"
#include "ept/pool.h"

#define PM1_SLP_EN		BIT(13)
#define PCI_REGISTER		0x80fffffcu	/* enabled; bus, device, function, double word */
#define RESET_CPU		BIT(2)
#define KEYBOARD_WRITE_LINES	0xd1
#define KEYBOARD_PULSE_MASK	0xf1
#define KEYBOARD_PULSE_RESET	0xf0	/* bit 0, the reset line, low */

static u64 bitmap_pa[2];

static void mediate(u32 port, u32 count)
{
	for (; port && port < 65536 && count; port++, count--)
		bitmap_set(phys(bitmap_pa[port >> 15]), port & 0x7fff);
}

int port_init(void)
{
	bitmap_pa[0] = pool_alloc();
	bitmap_pa[1] = pool_alloc();
	if (!bitmap_pa[0] || !bitmap_pa[1])
		return -UP_ENOMEM;
	/* Sleep states resume outside the layer (ACPI 6.5, 4.8.3.2). */
	mediate(up_config.pm1a_cnt, 2);
	mediate(up_config.pm1b_cnt, 2);
	mediate(PORT_KEYBOARD, 1);
	mediate(PORT_RESET, 1);
	/* Where the register that moves them cannot be locked (module/sleep.h): PIIX4. */
	if (up_config.pm_base)
		mediate(PORT_PCI_ADDRESS, 8);
	return 0;
}

u64 io_bitmap(u32 half)
{
	return bitmap_pa[half & 1];
}

/* An access may start below or inside the register: does it set SLP_EN? */
bool port_sleeps(u16 port, u32 size, u64 val)
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

bool port_moves_sleep(u16 port, u32 size)
{
	return up_config.pm_base && port + size > PORT_PCI_DATA && port < PORT_PCI_DATA + 4 &&
	       (port_in(PORT_PCI_ADDRESS, 4) & PCI_REGISTER) == up_config.pm_base;
}

/*
 * The chipset's reset control register, which is not reached by the aligned double word
 * of PCI configuration below it; the keyboard controller's pulse of the reset line, and
 * its command after which a byte sets that line.  Other means: docs/memory.md.
 */
bool port_resets(u16 port, u32 size, u64 val)
{
	u32 byte = PORT_RESET - port;

	if (byte < size && !(size == 4 && port == PORT_PCI_ADDRESS))
		return val >> (8 * byte) & RESET_CPU;
	byte = PORT_KEYBOARD - port;
	val = val >> (8 * (byte & 3)) & 0xff;
	return byte < size && ((val & KEYBOARD_PULSE_MASK) == KEYBOARD_PULSE_RESET ||
			       val == KEYBOARD_WRITE_LINES);
}
