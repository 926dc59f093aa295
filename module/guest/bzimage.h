/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A Linux bzImage: what its setup header says, which of it to believe, and how it
 * is hashed.  Shared by the firmware, `underpin vm expected` and the fuzzer.
 */
#ifndef GUEST_BZIMAGE_H
#define GUEST_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BZIMAGE_SETUP_MAX	0x10000u	/* the boot protocol's: 64 sectors and to spare */
#define BZIMAGE_HDR_START	0x1f1u		/* struct setup_header begins here */
#define BZIMAGE_HDR_MAX		0x290u		/* and has room up to here in the zero page */

/* Offsets in the setup header, Documentation/x86/boot.rst. */
enum bzimage_field {
	BZ_SETUP_SECTS		= 0x1f1,
	BZ_SYSSIZE		= 0x1f4,
	BZ_VID_MODE		= 0x1fa,
	BZ_BOOT_FLAG		= 0x1fe,
	BZ_JUMP			= 0x200,
	BZ_MAGIC		= 0x202,
	BZ_VERSION		= 0x206,
	BZ_TYPE_OF_LOADER	= 0x210,
	BZ_LOADFLAGS		= 0x211,
	BZ_CODE32_START		= 0x214,
	BZ_RAMDISK_IMAGE	= 0x218,
	BZ_RAMDISK_SIZE		= 0x21c,
	BZ_HEAP_END_PTR		= 0x224,
	BZ_CMD_LINE_PTR		= 0x228,
	BZ_INITRD_ADDR_MAX	= 0x22c,
	BZ_KERNEL_ALIGNMENT	= 0x230,
	BZ_RELOCATABLE		= 0x234,
	BZ_XLOADFLAGS		= 0x236,
	BZ_CMDLINE_SIZE		= 0x238,
	BZ_SETUP_DATA		= 0x250,
	BZ_PREF_ADDRESS		= 0x258,
	BZ_INIT_SIZE		= 0x260,
};

struct bzimage {
	uint32_t setup_len;	/* bytes before the protected-mode kernel */
	uint32_t hdr_end;	/* of the setup header, at most BZIMAGE_HDR_MAX */
	uint64_t payload_len;	/* bytes after the setup, a signature included */
	uint64_t init_size;	/* memory that the kernel needs where it is loaded */
	uint64_t pref_address;
	uint64_t initrd_addr_max;
	uint32_t alignment;
	uint32_t cmdline_max;	/* without the NUL */
	bool relocatable;
};

/* Where things go; all below 4 GiB, page-aligned and disjoint. */
struct placement {
	uint64_t kernel;
	uint64_t entry;
	uint64_t initrd;
};

/** bzimage_setup_len() - length of the setup part, from the file's first 512 bytes */
uint32_t bzimage_setup_len(const uint8_t sector[512]);

/**
 * bzimage_parse() - check a setup part and take what is needed from it
 * @setup: the whole setup part, hostile; the caller's own copy
 * @len: its length
 * Return: NULL, or the reason why it was refused
 */
const char *bzimage_parse(const uint8_t *setup, size_t len, struct bzimage *b);

/**
 * bzimage_canonical() - zero every field that boot.rst has a boot loader write
 *
 * QEMU writes some of them before firmware sees the header, so they cannot be
 * part of a digest that is computed away from the host; and being zeroed here,
 * none of what the host wrote there reaches the kernel.  The digest of a kernel
 * is SHA-256 over the setup part after this, followed by payload_len bytes.
 *
 * @setup: a setup part that bzimage_parse() accepted
 */
void bzimage_canonical(uint8_t *setup);

/**
 * bzimage_place() - choose where kernel and initrd go in [1 MiB, @low_end)
 * Return: NULL, or the reason why there is no place
 */
const char *bzimage_place(const struct bzimage *b, uint64_t low_end, uint64_t initrd_len,
			  struct placement *p);

#endif /* GUEST_BZIMAGE_H */
