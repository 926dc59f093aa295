// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux 64-bit boot protocol (Documentation/x86/boot.rst, zero-page.rst).
 * The zero page holds the kernel's own header, canonical, and what is set here;
 * nothing else of the host's.
 */
#include "boot.h"
#include "fw.h"
#include "lib.h"

#define ZP_E820_ENTRIES		0x1e8
#define ZP_E820_TABLE		0x2d0
#define LOADER_UNDEFINED	0xff	/* boot.rst: a loader without an assigned number */
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRR_ENABLED_WB		0x806
#define MSR_APIC_BASE		0x1b
#define APIC_BASE_ENABLE	BIT(11)
#define APIC_LVT_LINT0		0xfee00350ULL
#define LVT_EXTINT		0x700
#define CPUID_APIC		BIT(9)	/* leaf 1, edx */
#define CPUID_MTRR		BIT(12)

void __noreturn enter_kernel(u64 entry, void *boot_params);

static void put32(u8 *p, u32 value)
{
	memcpy(p, &value, sizeof(value));
}

static u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ __volatile__("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
	return low | (u64)high << 32;
}

static void wrmsr(u32 msr, u64 value)
{
	__asm__ __volatile__("wrmsr" : : "c" (msr), "a" ((u32)value), "d" ((u32)(value >> 32)));
}

/*
 * A PC's firmware leaves all memory write-back (Linux would go without PAT
 * otherwise), and the 8259's interrupts wired through the local APIC.  A local
 * APIC that is switched off does that as well, and takes no MMIO, which is dear
 * in a protected VM; Linux runs without it (nolapic).  Emulators that are not
 * KVM heed LINT0 even then: without a layer MMIO costs nothing, so set it too.
 */
static void set_up_processor(void)
{
	u32 eax = 1, ebx, ecx = 0, edx;

	__asm__ __volatile__("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	if (edx & CPUID_MTRR)
		wrmsr(MSR_MTRR_DEF_TYPE, MTRR_ENABLED_WB);
	if (!(edx & CPUID_APIC))
		return;
	if (!layer_present())
		*(volatile u32 *)APIC_LVT_LINT0 = LVT_EXTINT;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) & ~APIC_BASE_ENABLE);
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
	set_up_processor();

	say("underpin-fw: entering the kernel at 0x");
	say_hex(h->at.entry, 8);
	say("\n");
	enter_kernel(h->at.entry, zp);
}
