// SPDX-License-Identifier: GPL-2.0
/*
 * MSR load and store lists of a VMCS12 (SDM vol. 3, sections 25.7.2, 25.8.2).
 *
 * The entry list is loaded by hardware, from the layer's filtered copy.  The two
 * exit lists are carried out here when an exit goes to L1.  Only the MSRs of one
 * table may appear, and none on the floor under every VM (vmx/intercept/msr.c): they cannot
 * turn against root mode.
 */
#include "vmx/nested/run.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/intercept/msr.h"
#include "vmx/intercept/caps.h"
#include "ept/frames.h"
#include "ept/pool.h"

#define ENTRIES_PER_FRAME	(PAGE_SIZE / sizeof(struct msr_entry))

struct msr_entry {
	u32 index;
	u32 reserved;
	u64 value;
};

struct msr_range {
	u32 first, last;
	u32 field;	/* where VMCS01 and VMCS02 keep it, or 0: in the register itself */
};

static const struct msr_range allowed[] = {
	{ 0x00000010, 0x00000010, 0 },				/* TSC */
	{ 0x00000048, 0x00000049, 0 },				/* SPEC_CTRL, PRED_CMD */
	{ 0x000000c1, 0x000000c8, 0 },				/* PMC0.. */
	{ 0x0000010b, 0x0000010b, 0 },				/* FLUSH_CMD */
	{ 0x00000122, 0x00000122, 0 },				/* TSX_CTRL */
	{ 0x00000174, 0x00000174, VMCS_GUEST_SYSENTER_CS },
	{ 0x00000175, 0x00000175, VMCS_GUEST_SYSENTER_ESP },
	{ 0x00000176, 0x00000176, VMCS_GUEST_SYSENTER_EIP },
	{ 0x00000186, 0x0000018d, 0 },				/* PERFEVTSEL0.. */
	{ 0x000001a6, 0x000001a7, 0 },				/* OFFCORE_RSP */
	{ 0x00000277, 0x00000277, VMCS_GUEST_PAT },
	{ 0x00000309, 0x0000030b, 0 },				/* FIXED_CTR0.. */
	{ 0x0000038d, 0x0000038d, 0 },				/* FIXED_CTR_CTRL */
	{ 0x0000038f, 0x0000038f, 0 },				/* PERF_GLOBAL_CTRL */
	{ 0x000003f1, 0x000003f2, 0 },				/* PEBS_ENABLE, PEBS_DATA_CFG */
	{ 0x00000da0, 0x00000da0, 0 },				/* XSS */
	{ 0xc0000080, 0xc0000080, VMCS_GUEST_EFER },
	{ 0xc0000081, 0xc0000084, 0 },				/* STAR, LSTAR, CSTAR, FMASK */
	{ 0xc0000102, 0xc0000103, 0 },				/* KERNEL_GS_BASE, TSC_AUX */
};

static const struct msr_range *find_range(u32 msr)
{
	for (u32 i = 0; i < ARRAY_SIZE(allowed); i++)
		if (msr >= allowed[i].first && msr <= allowed[i].last)
			return &allowed[i];
	return NULL;
}

static const struct msr_range *permitted(u32 msr, bool write)
{
	const struct msr_range *r = find_range(msr);

	return r && !msr_vm_must_intercept(msr, write) ? r : NULL;
}

/* The address of entry @i, or NULL when its frame is not the host's to use. */
static struct msr_entry *entry_at(u64 list, u32 i)
{
	u64 pa = list + i * sizeof(struct msr_entry);

	return frame_host_usable(pa >> PAGE_SHIFT) ? phys(pa) : NULL;
}

/* One copy, then only the copy is looked at. */
static bool read_entry(u64 list, u32 i, struct msr_entry *e)
{
	const struct msr_entry *src = entry_at(list, i);

	if (!src)
		return false;
	e->index = READ_ONCE(src->index);
	e->reserved = READ_ONCE(src->reserved);
	e->value = READ_ONCE(src->value);
	return !e->reserved;
}

static int alloc_copy(struct vvmcs *vv)
{
	/* The copy must be contiguous and the pool gives single frames: 256 entries. */
	if (!vv->msr_list_pa)
		vv->msr_list_pa = pool_alloc();
	return vv->msr_list_pa ? 0 : -UP_ENOMEM;
}

int msr_list_arm(struct vvmcs *vv, u64 *pa, u32 *count)
{
	u32 n = vv->f[ROW_ENTRY_MSR_LOAD_COUNT];
	u64 list = vv->f[ROW_ENTRY_MSR_LOAD_ADDR];
	struct msr_entry *copy;

	*count = 0;
	*pa = 0;
	if (!n)
		return 0;
	if (alloc_copy(vv))
		return -UP_ENOMEM;
	*pa = vv->msr_list_pa;
	copy = phys(*pa);
	for (u32 i = 0; i < n; i++) {
		const struct msr_range *r;
		struct msr_entry e;

		if (i >= ENTRIES_PER_FRAME || !read_entry(list, i, &e))
			return i + 1;
		r = permitted(e.index, true);
		if (!r)
			return i + 1;
		if (r->field) {
			/* It replaces what the layer computed; hardware judges the value. */
			vmwrite(r->field, e.value);
			continue;
		}
		copy[(*count)++] = e;
	}
	return 0;
}

bool msr_list_store(struct vvmcs *vv)
{
	u32 n = vv->f[ROW_EXIT_MSR_STORE_COUNT];
	u64 list = vv->f[ROW_EXIT_MSR_STORE_ADDR];

	for (u32 i = 0; i < n; i++) {
		const struct msr_range *r;
		struct msr_entry e, *dst = entry_at(list, i);

		if (!dst || !read_entry(list, i, &e))
			return false;
		r = permitted(e.index, false);
		if (!r)
			return false;
		if (r->field)
			e.value = vmread(r->field);
		else if (rdmsr_safe(e.index, &e.value))
			return false;
		WRITE_ONCE(dst->value, e.value);
	}
	return true;
}

/* What VMCS01's entry would refuse must not get there: that would be the layer's own end. */
static bool load_into_vmcs01(u32 field, u64 value)
{
	return host_field_ok(field, value) && !vmwrite(field, value);
}

bool msr_list_load_host(struct vvmcs *vv)
{
	u32 n = vv->f[ROW_EXIT_MSR_LOAD_COUNT];
	u64 list = vv->f[ROW_EXIT_MSR_LOAD_ADDR];

	for (u32 i = 0; i < n; i++) {
		const struct msr_range *r;
		struct msr_entry e;

		if (!read_entry(list, i, &e))
			return false;
		r = permitted(e.index, true);
		if (!r)
			return false;
		if (r->field ? !load_into_vmcs01(r->field, e.value)
			     : wrmsr_safe(e.index, e.value))
			return false;
	}
	return true;
}
