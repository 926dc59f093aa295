// SPDX-License-Identifier: GPL-2.0
/* The chipset's power management, where the ACPI tables say that it is. */
#include "fw.h"

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define PIIX4_PM	0x80000b00	/* bus 0, device 1, function 3 (82371AB, chapter 7) */
#define PMBASE		0x40
#define PMREGMISC	0x80
#define PM_BASE		0x601		/* I/O at 0x600 */
#define PMIOSE		1		/* enabled */

/** pm_set_up() - PM1 and the PM timer at 0x600; on a machine without PIIX4 nothing */
void pm_set_up(void)
{
	outl(PCI_ADDRESS, PIIX4_PM | PMBASE);
	outl(PCI_DATA, PM_BASE);
	outl(PCI_ADDRESS, PIIX4_PM | PMREGMISC);
	outb(PCI_DATA, PMIOSE);
}
