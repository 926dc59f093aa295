/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a sleep state is entered, and whether that place can be moved: the layer watches
 * the ports of ACPI's PM1 control registers.  One definition for the module, which
 * refuses what cannot be watched, and for "underpin check" (module/needs.h).
 */
#ifndef MODULE_SLEEP_H
#define MODULE_SLEEP_H

#include <linux/types.h>

#define NO_FADT_FOUND	"no ACPI FADT tells where sleep states are entered"
#define NO_FADT_CURE	"boot without acpi=off"

#define BAD_FADT_FOUND	"firmware's ACPI FADT is malformed"
#define BAD_FADT_CURE	"update the firmware"

#define REDUCED_FOUND	"ACPI is hardware-reduced: sleep states are not entered through PM1 registers"
#define REDUCED_CURE	"use a host with ACPI's fixed hardware; in a VM, another machine type"

#define PM1_FOUND	"ACPI's PM1 control register %c is not one I/O port"
#define PM1_CURE	"update the firmware: the FADT has to name the same I/O port each time"

#define LOOSE_FOUND	"the ACPI base in PCI device %02x.%x can be moved, and is not locked"
#define LOOSE_CURE	"update the firmware; in QEMU use -machine pc"

/* ACPI 6.5, table 5.9 */
#define FADT_PM1_CNT	64	/* PM1a_CNT_BLK, PM1b_CNT_BLK: 4 bytes each */
#define FADT_FLAGS	112
#define FADT_REDUCED	0x100000	/* HW_REDUCED_ACPI */
#define FADT_X_PM1_CNT	172	/* X_PM1a_CNT_BLK, X_PM1b_CNT_BLK: 12 bytes each */
#define ACPI_SPACE_IO	1	/* ACPI 6.5, table 5.1 */

enum fadt_result {
	FADT_FINE,
	FADT_MALFORMED,
	FADT_NO_PM1,		/* hardware-reduced */
	FADT_PM1A_ODD,		/* not an I/O port, or one and another */
	FADT_PM1B_ODD,
};

static inline __u64 le_bytes(const __u8 *p, unsigned int n)
{
	__u64 val = 0;

	while (n--)
		val = val << 8 | p[n];
	return val;
}

/* One PM1 control register: false unless it is one I/O port, or (b) there is none. */
static inline int fadt_pm1_port(const __u8 *fadt, __u32 len, unsigned int i, __u32 *port)
{
	__u32 x_at = FADT_X_PM1_CNT + 12 * i;
	__u64 old = le_bytes(fadt + FADT_PM1_CNT + 4 * i, 4), x = 0;

	if (len >= x_at + 12)
		x = le_bytes(fadt + x_at + 4, 8);
	if (x && (fadt[x_at] != ACPI_SPACE_IO || (old && old != x)))
		return 0;
	*port = (__u32)(x ? x : old);
	return (x ? x : old) < 0xffff && (*port || i);
}

/*
 * fadt_pm1() - the ports of PM1a_CNT and PM1b_CNT
 * @fadt: the table, @len bytes
 * @port: filled in; 0: there is none
 */
static inline enum fadt_result fadt_pm1(const __u8 *fadt, __u32 len, __u32 port[2])
{
	if (len < FADT_FLAGS + 4)
		return FADT_MALFORMED;
	if (le_bytes(fadt + FADT_FLAGS, 4) & FADT_REDUCED)
		return FADT_NO_PM1;
	if (!fadt_pm1_port(fadt, len, 0, &port[0]))
		return FADT_PM1A_ODD;
	return fadt_pm1_port(fadt, len, 1, &port[1]) ? FADT_FINE : FADT_PM1B_ODD;
}

/*
 * The device that decodes the ports.  Its base register, of which PM1_CNT is at offset 4,
 * and the lock of that: ICH9 to PCH 9: GEN_PMCON_LOCK, bit 1 of byte 0xa6, of the LPC
 * bridge; PCH 100 and later: GEN_PMCON_B, bit 17 of 0xa4, of the power-management
 * controller.  PIIX4 has none.
 */
#define PM_BASE		0x40
#define PM_BASE_MASK	0xffc0u
#define PM_BASE_LOCKS	0xa4
#define PM_BASE_LOCK	0x20000
#define PCI_ID_PIIX4	0x71138086u

enum base_state {
	BASE_ELSEWHERE,		/* this device does not decode the ports */
	BASE_LOCKED,
	BASE_LOOSE,		/* can be moved; perhaps can be locked */
};

/*
 * pm_base_state() - does this device decode PM1_CNT, and can it be made to elsewhere?
 * @id: of its PCI configuration space the double word at 0
 * @base: the one at PM_BASE; @locks: the one at PM_BASE_LOCKS
 */
static inline enum base_state pm_base_state(__u32 id, __u32 base, __u32 locks, __u32 pm1a)
{
	if ((id & 0xffff) != 0x8086 || (base & PM_BASE_MASK) != (pm1a & PM_BASE_MASK))
		return BASE_ELSEWHERE;
	if (id == PCI_ID_PIIX4)
		return BASE_LOOSE;
	return locks & PM_BASE_LOCK ? BASE_LOCKED : BASE_LOOSE;
}

#endif /* MODULE_SLEEP_H */
