// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux 64-bit boot protocol (Documentation/x86/boot.rst, zero-page.rst).
 * The zero page holds the kernel's own header, canonical, and what is set here;
 * nothing else of the host's.
 */
#include "boot.h"
#include "fw.h"
#include "vmx/base/lib.h"

#define ZP_ACPI_RSDP_ADDR	0x070
#define ZP_E820_ENTRIES		0x1e8
#define ZP_E820_TABLE		0x2d0
#define LOADER_UNDEFINED	0xff	/* boot.rst: a loader without an assigned number */

static void put32(u8 *p, u32 value)
{
	memcpy(p, &value, sizeof(value));
}

void __noreturn boot_kernel(const struct handover *h)
{
	u8 *zp = (u8 *)FW_ZERO_PAGE;

	memset(zp, 0, PAGE_SIZE);
	memcpy(zp + BZIMAGE_HDR_START, h->setup + BZIMAGE_HDR_START,
	       h->image.hdr_end - BZIMAGE_HDR_START);
	zp[BZ_TYPE_OF_LOADER] = LOADER_UNDEFINED;
	put32(zp + BZ_CODE32_START, (u32)h->at.kernel);
	put32(zp + BZ_CMD_LINE_PTR, FW_CMDLINE);
	if (h->initrd_len) {
		put32(zp + BZ_RAMDISK_IMAGE, (u32)h->at.initrd);
		put32(zp + BZ_RAMDISK_SIZE, (u32)h->initrd_len);
	}
	zp[ZP_E820_ENTRIES] = (u8)h->map_entries;
	memcpy(zp + ZP_E820_TABLE, h->map, h->map_entries * sizeof(h->map[0]));
	memcpy(zp + ZP_ACPI_RSDP_ADDR, &h->acpi, sizeof(h->acpi));
	processor_set_up(h->acpi);

	say("underpin-fw: entering the kernel at 0x");
	say_hex(h->at.entry, 8);
	say("\n");
	enter_kernel(h->at.entry, zp);
}
