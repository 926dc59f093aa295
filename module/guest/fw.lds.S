/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The firmware's image is one 64 KiB ROM.  Its end runs in place, from the reset
 * vector; the rest is linked to where that end copies it, so that C runs from
 * private RAM and the small code model reaches all of it.
 */
#include "layout.h"

OUTPUT_FORMAT("elf64-x86-64")
ENTRY(reset_vector)

SECTIONS
{
	. = FW_IMAGE;
	.text : AT(FW_ROM) {
		*(.text.start)
		*(.text .text.*)
	}
	.rodata : {
		*(.rodata .rodata.*)
	}
	.data : {
		*(.data .data.*)
		. = ALIGN(16);
	}
	__image_end = .;
	.bss (NOLOAD) : {
		*(.bss .bss.* COMMON)
		. = ALIGN(16);
	}
	__bss_end = .;
	__image_dwords = (__image_end - FW_IMAGE) / 4;
	__bss_dwords = (__bss_end - __image_end) / 4;

	.rom FW_ROM_CODE : AT(FW_ROM_CODE) {
		*(.rom)
		. = FW_PATCH - FW_ROM_CODE;
		*(.patch)
	}
	.reset FW_RESET : AT(FW_RESET) {
		*(.reset)
	}

	/DISCARD/ : {
		*(.comment .note .note.* .eh_frame)
		*(.got .got.plt .iplt .igot.plt .rela.*)
	}

	ASSERT(__bss_end <= FW_IMAGE_END, "firmware: does not fit below its window")
	ASSERT(__image_end - FW_IMAGE <= FW_ROM_CODE - FW_ROM, "firmware: does not fit its ROM")
	ASSERT(SIZEOF(.rom) <= FW_RESET - FW_ROM_CODE, "firmware: start code is too long")
}
