// SPDX-License-Identifier: GPL-2.0
/* bzImage: Documentation/x86/boot.rst; its EFI stub's header: PE/COFF. */
#include "vmx/base/lib.h"
#include "bzimage.h"

#define SECTOR			512u
#define MAGIC			0x53726448u	/* "HdrS" */
#define BOOT_FLAG		0xaa55u
#define VERSION_MIN		0x020cu		/* 2.12: xloadflags */
#define LOADED_HIGH		0x01u
#define CAN_USE_HEAP		0x80u
#define XLF_KERNEL_64		0x01u
#define ENTRY_64		0x200u

#define PAYLOAD_MAX		(1ULL << 30)
#define INIT_SIZE_MAX		(1ULL << 31)
#define ALIGNMENT_MAX		(1u << 30)
#define CMDLINE_MAX		(PAGE_SIZE - 1)
#define LOAD_MIN		0x100000ULL

/* PE/COFF: where an image says that its signature lies */
#define PE_OFFSET		0x3cu
#define PE_SIGNATURE		0x4550u		/* "PE\0\0" */
#define PE_OPTIONAL		24u		/* from the signature to the optional header */
#define PE_MAGIC_64		0x20bu
#define PE_CERT			144u		/* from there: data directory 4, offset and size */
#define PE_NEEDED		(PE_OPTIONAL + PE_CERT + 8)

static u16 get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static u32 get32(const u8 *p)
{
	return (u32)get16(p) | (u32)get16(p + 2) << 16;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

/*
 * Where the signature ends, counted from the start of the file; 0 without one.
 * A distribution signs behind the kernel proper, and a digest of "the kernel"
 * that left some bytes of the file out would surprise whoever changed them.
 */
static u64 signature_end(const u8 *setup, u32 setup_len)
{
	u32 pe = get32(setup + PE_OFFSET);

	if (pe > setup_len - PE_NEEDED || get32(setup + pe) != PE_SIGNATURE)
		return 0;
	pe += PE_OPTIONAL;
	if (get16(setup + pe) != PE_MAGIC_64)
		return 0;
	return (u64)get32(setup + pe + PE_CERT) + get32(setup + pe + PE_CERT + 4);
}

uint32_t bzimage_setup_len(const uint8_t sector[512])
{
	u32 sects = sector[BZ_SETUP_SECTS];

	return SECTOR * (1 + (sects ? sects : 4));
}

static void read_header(const u8 *setup, struct bzimage *b)
{
	u64 end = signature_end(setup, b->setup_len);

	b->hdr_end = BZ_MAGIC + setup[BZ_JUMP + 1];
	if (b->hdr_end > BZIMAGE_HDR_MAX)
		b->hdr_end = BZIMAGE_HDR_MAX;
	b->payload_len = (u64)get32(setup + BZ_SYSSIZE) * 16;
	if (end > b->setup_len + b->payload_len)
		b->payload_len = end - b->setup_len;
	b->init_size = get32(setup + BZ_INIT_SIZE);
	b->pref_address = get64(setup + BZ_PREF_ADDRESS);
	b->initrd_addr_max = get32(setup + BZ_INITRD_ADDR_MAX);
	b->alignment = get32(setup + BZ_KERNEL_ALIGNMENT);
	b->cmdline_max = get32(setup + BZ_CMDLINE_SIZE);
	if (b->cmdline_max > CMDLINE_MAX)
		b->cmdline_max = CMDLINE_MAX;
	b->relocatable = setup[BZ_RELOCATABLE] != 0;
}

static const char *check_header(const struct bzimage *b)
{
	if (b->hdr_end < BZ_INIT_SIZE + 4)
		return "the setup header is too short for its version";
	if (b->payload_len < ENTRY_64 + 16)
		return "syssize is too small";
	if (b->payload_len > PAYLOAD_MAX)
		return "syssize or signature is beyond 1 GiB";
	if (b->init_size < b->payload_len)
		return "init_size is smaller than the kernel";
	if (b->init_size > INIT_SIZE_MAX)
		return "init_size is beyond 2 GiB";
	if (b->alignment < PAGE_SIZE || b->alignment > ALIGNMENT_MAX ||
	    b->alignment & (b->alignment - 1))
		return "kernel_alignment is no power of two from 4 KiB to 1 GiB";
	return NULL;
}

const char *bzimage_parse(const uint8_t *setup, size_t len, struct bzimage *b)
{
	if (len < 2 * SECTOR)
		return "no setup header";
	if (get16(setup + BZ_BOOT_FLAG) != BOOT_FLAG || get32(setup + BZ_MAGIC) != MAGIC)
		return "no Linux bzImage (wrong magic)";
	if (get16(setup + BZ_VERSION) < VERSION_MIN)
		return "boot protocol is older than 2.12";
	if (!(setup[BZ_LOADFLAGS] & LOADED_HIGH))
		return "not loaded high (a zImage)";
	if (!(get16(setup + BZ_XLOADFLAGS) & XLF_KERNEL_64))
		return "has no 64-bit entry";
	b->setup_len = bzimage_setup_len(setup);
	if (b->setup_len > BZIMAGE_SETUP_MAX || b->setup_len != len)
		return "setup_sects does not match the setup's length";
	read_header(setup, b);
	return check_header(b);
}

void bzimage_canonical(uint8_t *setup)
{
	/* first byte, bytes: the fields of type "write" and "modify" that QEMU may set */
	static const struct {
		u16 at;
		u16 len;
	} loader[] = {
		{ BZ_VID_MODE, 2 },
		{ BZ_TYPE_OF_LOADER, 1 },
		{ BZ_LOADFLAGS + 1, 2 },	/* setup_move_size */
		{ BZ_CODE32_START, 4 },
		{ BZ_RAMDISK_IMAGE, 8 },	/* and ramdisk_size */
		{ BZ_HEAP_END_PTR, 4 },		/* and ext_loader_ver, ext_loader_type */
		{ BZ_CMD_LINE_PTR, 4 },
		{ BZ_SETUP_DATA, 8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(loader); i++)
		memset(setup + loader[i].at, 0, loader[i].len);
	setup[BZ_LOADFLAGS] &= (u8)~CAN_USE_HEAP;
}

static bool fits(u64 at, u64 size, u64 end)
{
	return at >= LOAD_MIN && at < end && size <= end - at;
}

const char *bzimage_place(const struct bzimage *b, uint64_t low_end, uint64_t initrd_len,
			  struct placement *p)
{
	u64 top = low_end;

	if (b->initrd_addr_max < top - 1)
		top = ALIGN_DOWN(b->initrd_addr_max + 1, PAGE_SIZE);
	p->initrd = 0;
	if (initrd_len) {
		if (top <= LOAD_MIN || initrd_len > top - LOAD_MIN)
			return "the initrd is larger than memory";
		p->initrd = ALIGN_DOWN(top - initrd_len, PAGE_SIZE);
		low_end = p->initrd;
	}
	p->kernel = b->pref_address;
	if (!fits(p->kernel, b->init_size, low_end) || !IS_ALIGNED(p->kernel, PAGE_SIZE)) {
		if (!b->relocatable)
			return "pref_address and init_size do not fit in memory";
		p->kernel = ALIGN_UP(LOAD_MIN, b->alignment);
		if (!fits(p->kernel, b->init_size, low_end))
			return "init_size and initrd do not fit in memory";
	}
	p->entry = p->kernel + ENTRY_64;
	return NULL;
}
