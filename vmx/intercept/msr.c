// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs through which the layer could be reached or noticed: the table of msrs.h says
 * who is asked.  Everything else goes to hardware without an exit.
 */
#include "vmx/intercept/msr.h"
#include "vmx/abi/errno.h"
#include "vmx/attest/challenge.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/bitmap.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/intercept/caps.h"
#include "ept/pool.h"

static u64 host_pa, floor_pa;

static enum msr_verdict check_any(u32 msr, u64 val)
{
	return MSR_TAKEN;
}

static enum msr_verdict check_never(u32 msr, u64 val)
{
	return MSR_REFUSED;
}

/*
 * A microcode update is read through a linear address of the demoted host's, which
 * root mode does not map: refused quietly, as by a hypervisor that has none to offer
 * (Linux then reports the old revision and goes on).  MTRRs have no effect beneath a
 * host with EPT (ept/mtrr.c).
 */
static enum msr_verdict check_ignored(u32 msr, u64 val)
{
	return MSR_IGNORED;
}

/* The clock of tickets stays as it is; without them the host may set it. */
static enum msr_verdict check_clock(u32 msr, u64 val)
{
	return tickets_wanted() ? MSR_IGNORED : MSR_TAKEN;
}

/* By physical address a KVM beneath would store to frames; zero turns that off. */
static enum msr_verdict check_zero(u32 msr, u64 val)
{
	return val ? MSR_REFUSED : MSR_TAKEN;
}

/*
 * The APIC page is decoded from physical addresses below the EPT: moved onto a VM's
 * frame it would answer the VM's loads (SDM vol. 3, 11.4.5).  Key-identifier bits above
 * MAXPHYADDR count, too.
 */
static enum msr_verdict check_apic_base(u32 msr, u64 val)
{
	return (val ^ rdmsr(msr)) & MASK(63, 12) ? MSR_REFUSED : MSR_TAKEN;
}

/*
 * PEBS stores through this linear address also while root mode runs: it must not be
 * one that root's own page tables map.  Linux's never is.
 */
static enum msr_verdict check_ds_area(u32 msr, u64 val)
{
	return val + PAGE_SIZE >= UP_IMAGE_BASE &&
	       val < UP_DIRECT_BASE + (up_config.table_frames << PAGE_SHIFT) ? MSR_REFUSED :
									       MSR_TAKEN;
}

/* XRSTORS would load the MSRs of Intel PT, which stores to physical addresses. */
static enum msr_verdict check_xss(u32 msr, u64 val)
{
	return val & XSS_PT ? MSR_REFUSED : MSR_TAKEN;
}

/*
 * A bit that leaves more of the VM's behind for the host to find is not set any more.
 * Quietly: KVM sets and clears FB_CLEAR_DIS around each entry of a VM.
 */
static enum msr_verdict check_mcu_opt_ctrl(u32 msr, u64 val)
{
	u64 old;

	return !rdmsr_safe(msr, &old) && (val & ~old & MCU_OPT_DISABLES) ? MSR_IGNORED : MSR_TAKEN;
}

static enum msr_verdict check_perf_global(u32 msr, u64 val)
{
	return val & ~vmx_caps.perf_global ? MSR_REFUSED : MSR_TAKEN;
}

/* Root's page tables and CPUID answers need both as they were at the launch. */
static enum msr_verdict check_misc_enable(u32 msr, u64 val)
{
	u64 kept = MISC_ENABLE_LIMIT_CPUID | MISC_ENABLE_XD_DISABLE;

	return (val ^ rdmsr(msr)) & kept ? MSR_REFUSED : MSR_TAKEN;
}

const struct msr_row msr_rows[] = {
#define NO	MSR_LIST_NO
#define REGISTER MSR_LIST_REGISTER
#define MSR_ROW(first, last, host, vm, list, guest, check) \
	{ MSR_##first, MSR_##last, ACCESS_##host, ACCESS_##vm, GUEST_##guest, list, \
	  check_##check },
#include "vmx/intercept/msrs.h"
#undef NO
#undef REGISTER
};

const u32 msr_nrows = ARRAY_SIZE(msr_rows);

const struct msr_row *msr_row(u32 msr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(msr_rows) && msr_rows[i].first <= msr; i++)
		if (msr <= msr_rows[i].last)
			return &msr_rows[i];
	return NULL;
}

u32 msr_field(const struct msr_row *r)
{
	if (r->list == MSR_LIST_REGISTER ||
	    (r->list == VMCS_GUEST_PERF_GLOBAL && !caps_perf_global()))
		return 0;
	return r->list;
}

static void intercept(u8 *bitmap, u32 msr, u32 access)
{
	s32 read = msr_bit(msr, false), write = msr_bit(msr, true);

	if (read >= 0 && (access & ACCESS_R))
		bitmap_set(bitmap, (u32)read);
	if (write >= 0 && (access & ACCESS_W))
		bitmap_set(bitmap, (u32)write);
}

int msr_init(void)
{
	u32 i, msr;

	host_pa = pool_alloc();
	floor_pa = pool_alloc();
	if (!host_pa || !floor_pa)
		return -UP_ENOMEM;
	for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
		for (msr = msr_rows[i].first; msr <= msr_rows[i].last; msr++) {
			intercept(phys(host_pa), msr, msr_rows[i].host);
			intercept(phys(floor_pa), msr, msr_rows[i].vm);
		}
	}
	return 0;
}

u64 msr_bitmap_host(void)
{
	return host_pa;
}

u64 msr_bitmap_floor(void)
{
	return floor_pa;
}

bool msr_vm_must_intercept(u32 msr, bool write)
{
	const struct msr_row *r = msr_row(msr);

	return r && (r->vm & (write ? ACCESS_W : ACCESS_R));
}

int host_msr_read(u32 msr, u64 *val)
{
	if (msr == MSR_FEATURE_CONTROL || (msr >= MSR_VMX_BASIC && msr <= MSR_VMX_EXIT2))
		return caps_msr_read(msr, val);
	return rdmsr_safe(msr, val);
}

int host_msr_write(u32 msr, u64 val)
{
	const struct msr_row *r = msr_row(msr);
	enum msr_verdict verdict = r ? r->check(msr, val) : MSR_TAKEN;
	u64 old;

	if (verdict == MSR_TAKEN && r && msr_field(r))
		return vmwrite(msr_field(r), val);
	if (verdict == MSR_TAKEN)
		return wrmsr_safe(msr, val);
	up_log_seldom("%s: write of %lx to MSR %x",
		      verdict == MSR_IGNORED ? "ignored" : "denied", val, msr);
	/* What is not there refuses every value. */
	return verdict == MSR_IGNORED ? rdmsr_safe(msr, &old) : -UP_EPERM;
}
