// SPDX-License-Identifier: GPL-2.0
/*
 * MSR load and store lists of a VMCS12 (SDM vol. 3, sections 25.7.2, 25.8.2).
 *
 * The entry list is loaded by hardware, from the layer's filtered copy.  The two
 * exit lists are carried out here when an exit goes to L1.  Only MSRs with a "list" in
 * vmx/intercept/msrs.h may appear, and a value goes through the same check as the host's
 * WRMSR: it cannot turn against root mode.
 */
#include "vmx/vmcs/msrlist.h"
#include "vmx/vmcs/check.h"
#include "vmx/base/asm.h"
#include "vmx/intercept/msr.h"
#include "ept/owner.h"

/* May L1 list this MSR?  And, if a value is given, that value? */
static const struct msr_row *listed(u32 msr, const u64 *val)
{
	const struct msr_row *r = msr_row(msr);

	if (!r || r->list == MSR_LIST_NO)
		return NULL;
	return !val || r->check(msr, *val) == MSR_TAKEN ? r : NULL;
}

/* The address of entry @i, or NULL when its frame is not the host's to use. */
static struct msr_entry *entry_at(u64 list, u32 i)
{
	return host_byte(list + i * sizeof(struct msr_entry));
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

/* Of several values of one MSR the last one counts: a list of any length has room. */
static bool add_to_copy(struct vvmcs *vv, const struct msr_entry *e, u32 *count)
{
	u32 i;

	for (i = 0; i < *count && vv->msr_list[i].index != e->index; i++)
		;
	if (i == MSR_LIST_COPY)
		return false;
	vv->msr_list[i] = *e;
	/*@ split i == *count; */
	*count += i == *count;
	return true;
}

u32 msr_list_arm(struct vvmcs *vv, u64 *pa, u32 *count)
{
	u32 n = vv->f[ROW_ENTRY_MSR_LOAD_COUNT];
	u64 list = vv->f[ROW_ENTRY_MSR_LOAD_ADDR];

	*count = 0;
	*pa = vvmcs_pa(vv) + offsetof(struct vvmcs, msr_list);
	for (u32 i = 0; i < n; i++) {
		const struct msr_row *r;
		struct msr_entry e;

		if (!read_entry(list, i, &e))
			return i + 1;
		r = listed(e.index, &e.value);
		if (!r)
			return i + 1;
		if (msr_field(r)) {
			/* It replaces what the layer computed; hardware judges the value. */
			vmwrite(msr_field(r), e.value);
			continue;
		}
		if (!add_to_copy(vv, &e, count))
			return i + 1;
	}
	return 0;
}

bool msr_list_store(struct vvmcs *vv)
{
	u32 n = vv->f[ROW_EXIT_MSR_STORE_COUNT];
	u64 list = vv->f[ROW_EXIT_MSR_STORE_ADDR];

	for (u32 i = 0; i < n; i++) {
		const struct msr_row *r;
		struct msr_entry e, *dst = entry_at(list, i);

		if (!dst || !read_entry(list, i, &e))
			return false;
		r = listed(e.index, NULL);
		if (!r)
			return false;
		if (msr_field(r))
			e.value = vmread(msr_field(r));
		else if (rdmsr_safe(e.index, &e.value))
			return false;
		WRITE_ONCE(dst->value, e.value);
	}
	return true;
}

/* What VMCS01's entry would refuse must not get there: that would be the layer's own end. */
static bool load_into_vmcs01(const struct vvmcs *vv, u32 field, u64 value)
{
	return host_field_ok(vv, field, value) && !vmwrite(field, value);
}

bool msr_list_load_host(struct vvmcs *vv)
{
	u32 n = vv->f[ROW_EXIT_MSR_LOAD_COUNT];
	u64 list = vv->f[ROW_EXIT_MSR_LOAD_ADDR];

	for (u32 i = 0; i < n; i++) {
		const struct msr_row *r;
		struct msr_entry e;

		if (!read_entry(list, i, &e))
			return false;
		r = listed(e.index, &e.value);
		if (!r)
			return false;
		if (msr_field(r) ? !load_into_vmcs01(vv, msr_field(r), e.value)
			     : wrmsr_safe(e.index, e.value))
			return false;
	}
	return true;
}
