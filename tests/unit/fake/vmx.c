// SPDX-License-Identifier: GPL-2.0
/* A processor's VMCSs, VMX capabilities and MSRs. */
#include <assert.h>
#include <string.h>

#include "vmx.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/intercept/caps.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/vmcs.h"
#include "ept/owner.h"

#ifndef MAX_VMCS
#define MAX_VMCS	64
#endif
#define FIELDS		512

/* A field that was never written reads as 0. */
static struct hw_vmcs {
	u64 pa;
	u32 active_on;		/* CPU + 1 */
	u64 f[FIELDS];
} hw[MAX_VMCS];
static struct hw_vmcs *current[UP_MAX_CPUS];

u64 w_msr[0x4000];
u32 w_cpuid_fill;
u32 w_msr_missing;
u32 w_cpuid1[4], w_cpuid7[4], w_cpuid_a[4], w_cpuid_b[4];

#define STEPS	4096

static struct { enum w_what what; u64 arg, val; } steps[STEPS];
static int nsteps;

void w_step(enum w_what what, u64 arg, u64 val)
{
	steps[nsteps % STEPS].what = what;
	steps[nsteps % STEPS].arg = arg;
	steps[nsteps++ % STEPS].val = val;
}

void w_steps_clear(void)
{
	nsteps = 0;
}

int w_first(enum w_what what, u64 arg)
{
	int i;

	assert(nsteps <= STEPS);
	for (i = 0; i < nsteps; i++)
		if (steps[i].what == what && steps[i].arg == arg)
			return i;
	return W_NEVER;
}

int w_last(enum w_what what, u64 arg)
{
	int i;

	assert(nsteps <= STEPS);
	for (i = nsteps - 1; i >= 0 && (steps[i].what != what || steps[i].arg != arg); i--)
		;
	return i;
}

u64 w_step_val(int step)
{
	return steps[step].val;
}

void verw(u16 selector)
{
	(void)selector;
	w_step(W_VERW, 0, 0);
}

void fill_rsb(void)
{
	w_step(W_RSB, 0, 0);
}

void read_l1d(const u8 *table)
{
	(void)table;
	w_step(W_L1D, 0, 0);
}

void flush_lines(const void *page, bool opt)
{
	u64 pfn = (u64)((const u8 *)page - fake_ram) >> PAGE_SHIFT;

	(void)opt;
	w_step(W_LINES, pfn, (page_is_zero(page) ? 1 : 0) | (frame_host_usable(pfn) ? 2 : 0));
}

static struct hw_vmcs *find(u64 pa)
{
	u32 i, at = 0;

	for (i = 0; i < MAX_VMCS; i++) {
		at = ((pa >> PAGE_SHIFT) + i) % MAX_VMCS;
		if (!hw[at].pa || hw[at].pa == pa)
			break;
	}
	assert(i < MAX_VMCS);
	hw[at].pa = pa;
	return &hw[at];
}

/* Width, type and index of the encoding (SDM vol. 3, table 25-21). */
static u64 *field_of(struct hw_vmcs *v, u32 enc)
{
	assert(v && !(enc & 1) && (enc >> 1 & 0x1ff) < 32 && enc < 0x8000);
	return &v->f[(enc >> 13 & 3) << 7 | (enc >> 10 & 3) << 5 | (enc >> 1 & 0x1f)];
}

void w_vmx_reset(void)
{
	for (u32 i = 0; i < MAX_VMCS; i++)
		if (hw[i].pa)
			memset(&hw[i], 0, sizeof(hw[i]));
	memset(current, 0, sizeof(current));
}

bool w_vmcs_active(u64 pa)
{
	return find(pa)->active_on;
}

void w_vmcs_forget(u64 pa)
{
	memset(find(pa)->f, 0, sizeof(hw->f));
}

int vmclear(u64 pa)
{
	struct hw_vmcs *v = find(pa);

	assert(v->active_on == 0 || v->active_on == fake_cpu->cpu + 1);
	v->active_on = 0;
	if (current[fake_cpu->cpu] == v)
		current[fake_cpu->cpu] = NULL;
	return 0;
}

int vmptrld(u64 pa)
{
	struct hw_vmcs *v = find(pa);

	/* Two CPUs with one VMCS corrupt it on real hardware. */
	assert(v->active_on == 0 || v->active_on == fake_cpu->cpu + 1);
	w_step(W_VMPTRLD, pa, 0);
	v->active_on = fake_cpu->cpu + 1;
	current[fake_cpu->cpu] = v;
	return 0;
}

u64 vmread(u32 field)
{
	return *field_of(current[fake_cpu->cpu], field);
}

int vmwrite(u32 field, u64 val)
{
	*field_of(current[fake_cpu->cpu], field) = val;
	return 0;
}

u64 w_vmcs(u64 pa, u32 field)
{
	return *field_of(find(pa), field);
}

void w_set_vmcs(u64 pa, u32 field, u64 val)
{
	*field_of(find(pa), field) = val;
}

/* Section 26.1.3, and the checks of the link pointer at the VM entry before (27.3.1.5). */
u64 *w_shadowed(u64 enc, bool write)
{
	struct hw_vmcs *v = current[fake_cpu->cpu], *shadow;
	const u8 *bitmap;
	u64 link;

	if (!(*field_of(v, VMCS_CPU2_CTLS) & CPU2_SHADOW_VMCS) || enc >> 15)
		return NULL;
	link = *field_of(v, VMCS_VMCS_LINK);
	assert(link != v->pa && *(u32 *)phys(link) == (W_REVISION | BIT(31)));
	bitmap = phys(*field_of(v, write ? VMCS_VMWRITE_BITMAP : VMCS_VMREAD_BITMAP));
	if (bitmap[enc / 8] >> enc % 8 & 1)
		return NULL;
	shadow = find(link);
	assert(shadow->active_on == 0 || shadow->active_on == fake_cpu->cpu + 1);
	shadow->active_on = fake_cpu->cpu + 1;	/* by that entry, if not before */
	return field_of(shadow, (u32)enc);
}

u64 w_current_pa(void)
{
	return current[fake_cpu->cpu] ? current[fake_cpu->cpu]->pa : 0;
}

/* A Haswell's capabilities, with some features that must not be passed on. */
static u64 capability(u32 msr)
{
	switch (msr) {
	case MSR_FEATURE_CONTROL: return 5;
	case MSR_VMX_BASIC: return W_REVISION | 0x400ULL << 32 | 6ULL << 50 | 3ULL << 54;
	case MSR_VMX_TRUE_PINBASED: return 0x000000ff00000016;
	case MSR_VMX_TRUE_PROCBASED: return 0xfff9fffe04006172;
	case MSR_VMX_PROCBASED2: return 0x07ffffff00000000;
	case MSR_VMX_TRUE_EXIT: return 0x03ffffff00036dfb;
	case MSR_VMX_TRUE_ENTRY: return 0x0007ffff000011fb;
	case MSR_VMX_MISC: return 0x300481e5;	/* 29: VMWRITE to any field */
	case MSR_VMX_CR0_FIXED0: return 0x80000021;
	case MSR_VMX_CR0_FIXED1: return 0xffffffff;
	case MSR_VMX_CR4_FIXED0: return 0x2000;
	case MSR_VMX_CR4_FIXED1: return 0xb727ff;
	case MSR_VMX_EPT_VPID_CAP: return 0xf0106734141;
	}
	return 0;
}

static u64 *msr_slot(u32 msr)
{
	if (w_msr_missing && msr == w_msr_missing)
		return NULL;
	if (msr < 0x2000)
		return &w_msr[msr];
	if (msr >= 0xc0000000 && msr < 0xc0002000)
		return &w_msr[0x2000 + (msr & 0x1fff)];
	return NULL;
}

u64 rdmsr(u32 msr)
{
	u64 *slot = msr_slot(msr), cap = capability(msr);

	assert(!w_msr_missing || msr != w_msr_missing);
	return cap || !slot ? cap : *slot;
}

void wrmsr(u32 msr, u64 val)
{
	int err = wrmsr_safe(msr, val);

	assert(!err);
}

int rdmsr_safe(u32 msr, u64 *val)
{
	u64 *slot = msr_slot(msr);

	if (!slot)
		return -UP_EIO;
	*val = *slot;
	return 0;
}

int wrmsr_safe(u32 msr, u64 val)
{
	u64 *slot = msr_slot(msr);

	if (!slot)
		return -UP_EIO;
	w_step(W_WRMSR, msr, val);
	*slot = val;
	return 0;
}

void cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
	r[0] = r[1] = r[2] = r[3] = w_cpuid_fill;
	if (leaf == 7 && !subleaf && !w_cpuid_fill)
		memcpy(r, w_cpuid7, sizeof(w_cpuid7));
	if (leaf == 1 && !w_cpuid_fill)
		memcpy(r, w_cpuid1, sizeof(w_cpuid1));
	if (leaf == 0xb)
		memcpy(r, w_cpuid_b, sizeof(w_cpuid_b));
	if (leaf == 0xa)
		memcpy(r, w_cpuid_a, sizeof(w_cpuid_a));
	if (leaf == 0x80000008)
		r[0] = 48 << 8 | W_MAXPHYADDR;
}
