// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs and ports through which the layer could be reached or noticed: one row
 * says who is asked.  Everything else goes to hardware without an exit.
 */
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/cpus.h"
#include "vmx/host/io.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/intercept/msr.h"
#include "vmx/nested/nested.h"
#include "vmx/base/x86.h"
#include "ept/mtrr.h"
#include "ept/pool.h"

#define R	1u
#define W	2u
#define XSS_PT	BIT(8)
#define MISC_LIMIT_CPUID	BIT(22)
#define MISC_XD_DISABLE		BIT(34)

static u64 bitmap_pa, io_pa[2];

static int deny_write(u32 msr, u64 val)
{
	up_log("denied: write of %lx to MSR %x", val, msr);
	return -UP_EPERM;
}

/*
 * The APIC page is decoded from physical addresses below the EPT: moved onto a
 * VM's frame it would answer the VM's loads (SDM vol. 3, 11.4.5).
 */
static int write_apic_base(u32 msr, u64 val)
{
	/* Key-identifier bits above MAXPHYADDR count, too. */
	if ((val ^ rdmsr(msr)) & MASK(63, 12))
		return deny_write(msr, val);
	return wrmsr_safe(msr, val);
}

/*
 * PEBS stores through this linear address also while root mode runs: it must not
 * be one that root's own page tables map.  Linux's never is.
 */
static int write_ds_area(u32 msr, u64 val)
{
	if (val + PAGE_SIZE >= UP_IMAGE_BASE &&
	    val < UP_DIRECT_BASE + (up_config.table_frames << PAGE_SHIFT))
		return deny_write(msr, val);
	return wrmsr_safe(msr, val);
}

/* By physical address a KVM beneath would store to frames; zero turns that off. */
static int write_kvm_address(u32 msr, u64 val)
{
	return val ? deny_write(msr, val) : wrmsr_safe(msr, val);
}

/* XRSTORS would load the MSRs of Intel PT, which stores to physical addresses. */
static int write_xss(u32 msr, u64 val)
{
	return val & XSS_PT ? deny_write(msr, val) : wrmsr_safe(msr, val);
}

/* Root's page tables and CPUID answers need both as they were at the launch. */
static int write_misc_enable(u32 msr, u64 val)
{
	if ((val ^ rdmsr(msr)) & (MISC_LIMIT_CPUID | MISC_XD_DISABLE))
		return deny_write(msr, val);
	return wrmsr_safe(msr, val);
}

static int write_hardware(u32 msr, u64 val)
{
	return wrmsr_safe(msr, val);
}

/*
 * A microcode update is read through a linear address of the demoted host's,
 * which root mode does not map: refused quietly, as by a hypervisor that has
 * none to offer (Linux then reports the old revision and goes on).
 */
static int write_ignore(u32 msr, u64 val)
{
	up_log("ignored: write of %lx to MSR %x", val, msr);
	return 0;
}

struct msr_row {
	u32 first, last;
	u32 host;		/* exits of the demoted host: R, W */
	u32 vm;			/* exits that every VM must take: R, W */
	int (*read)(u32 msr, u64 *val);
	int (*write)(u32 msr, u64 val);
};

static const struct msr_row rows[] = {
	{ 0x11, 0x12, W, R | W, rdmsr_safe, write_kvm_address },
	{ MSR_APIC_BASE, MSR_APIC_BASE, W, R | W, rdmsr_safe, write_apic_base },
	{ MSR_FEATURE_CONTROL, MSR_FEATURE_CONTROL, R | W, R | W, nested_msr_read, deny_write },
	{ MSR_UCODE_WRITE, MSR_UCODE_WRITE, W, R | W, rdmsr_safe, write_ignore },
	{ MSR_SMM_MONITOR_CTL, MSR_SMM_MONITOR_CTL, R | W, R | W, rdmsr_safe, deny_write },
	{ 0x150, 0x150, W, R | W, rdmsr_safe, deny_write },		/* core voltage */
	{ 0x1a0, 0x1a0, W, W, rdmsr_safe, write_misc_enable },
	{ 0x1f2, 0x1f3, W, R | W, rdmsr_safe, deny_write },		/* SMRR */
	{ 0x200, 0x26f, R | W, R | W, mtrr_read, mtrr_write },
	{ 0x2ff, 0x2ff, R | W, R | W, mtrr_read, mtrr_write },
	{ 0x400, 0x47f, 0, W, rdmsr_safe, write_hardware },		/* machine check banks */
	{ MSR_VMX_BASIC, MSR_VMX_VMFUNC, R | W, R | W, nested_msr_read, deny_write },
	{ MSR_RTIT_FIRST, MSR_RTIT_LAST, W, R | W, rdmsr_safe, deny_write }, /* Intel PT */
	{ 0x600, 0x600, W, R | W, rdmsr_safe, write_ds_area },		/* DS area */
	{ 0x17d0, 0x17d1, W, R | W, rdmsr_safe, deny_write }, /* hardware feedback table */
	{ 0x800, 0x83f, 0, W, rdmsr_safe, write_hardware },		/* x2APIC */
	{ 0x982, 0x984, W, R | W, rdmsr_safe, deny_write },		/* memory encryption */
	{ MSR_XSS, MSR_XSS, W, W, rdmsr_safe, write_xss },
	/* Outside the ranges of a bitmap: always exit. */
	{ 0x4b564d00, 0x4b564d04, 0, 0, rdmsr_safe, write_kvm_address },
};

static const struct msr_row *find_row(u32 msr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (msr >= rows[i].first && msr <= rows[i].last)
			return &rows[i];
	return NULL;
}

/* Bitmap quarters: read low, read high, write low, write high (SDM vol. 3, 25.6.9). */
static void bitmap_set(u8 *bitmap, u32 msr, bool write)
{
	u32 off = write ? 2048 : 0;

	if (msr >= 0xc0000000)
		off += 1024;
	msr &= 0x1fff;
	bitmap[off + msr / 8] |= (u8)(1u << (msr % 8));
}

static void bitmap_set_rows(u8 *bitmap, bool vm)
{
	const struct msr_row *r;
	u32 i, msr, bits;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		r = &rows[i];
		bits = vm ? r->vm : r->host;
		for (msr = r->first; msr <= r->last; msr++) {
			if (bits & R)
				bitmap_set(bitmap, msr, false);
			if (bits & W)
				bitmap_set(bitmap, msr, true);
		}
	}
}

bool msr_vm_must_intercept(u32 msr, bool write)
{
	const struct msr_row *r = find_row(msr);

	return r && (r->vm & (write ? W : R));
}

void msr_bitmap_set_floor(u8 *bitmap)
{
	bitmap_set_rows(bitmap, true);
}

u64 msr_bitmap_host(void)
{
	return bitmap_pa;
}

u64 io_bitmap_host(u32 half)
{
	return io_pa[half & 1];
}

static void io_bitmap_set(u32 port, u32 count)
{
	for (; port && port < 65536 && count; port++, count--)
		((u8 *)phys(io_pa[port >> 15]))[(port & 0x7fff) / 8] |= (u8)(1u << (port % 8));
}

int msr_init(void)
{
	bitmap_pa = pool_alloc();
	io_pa[0] = pool_alloc();
	io_pa[1] = pool_alloc();
	if (!bitmap_pa || !io_pa[0] || !io_pa[1])
		return -UP_ENOMEM;
	bitmap_set_rows(phys(bitmap_pa), false);
	/* Sleep states resume outside the layer (ACPI 6.5, 4.8.3.2). */
	io_bitmap_set(up_config.pm1a_cnt, 2);
	io_bitmap_set(up_config.pm1b_cnt, 2);
	io_bitmap_set(PORT_KEYBOARD, 1);
	io_bitmap_set(PORT_RESET, 1);
	return 0;
}

int host_msr_read(u32 msr, u64 *val)
{
	const struct msr_row *r = find_row(msr);

	return r ? r->read(msr, val) : rdmsr_safe(msr, val);
}

int host_msr_write(u32 msr, u64 val)
{
	const struct msr_row *r = find_row(msr);

	return r ? r->write(msr, val) : wrmsr_safe(msr, val);
}
