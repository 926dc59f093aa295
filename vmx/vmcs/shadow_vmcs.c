// SPDX-License-Identifier: GPL-2.0
/* See shadow_vmcs.h. */
#include "vmx/vmcs/shadow_vmcs.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/bitmap.h"
#include "vmx/intercept/caps.h"
#include "ept/pool.h"

#define MISC_VMWRITE_ALL	BIT(29)	/* VMWRITE to exit information, in root mode too */
#define REVISION_SHADOW		BIT(31)	/* in a VMCS's first word: a shadow VMCS */

/* VMREAD's and VMWRITE's: a bit by encoding, set: exit (section 25.6.15); 0: not used. */
static u64 vmread_bitmap_pa, vmwrite_bitmap_pa;

enum shadow_access { READ, WRITE };

static const struct {
	u8 row;
	u8 access;	/* enum shadow_access */
} shadow_fields[] = {
#define SHADOW_FIELD(name, access) { ROW_##name, access },
#include "vmx/vmcs/shadow_fields.h"
};

/*
 * An access cannot fail, and there is no other way: no value waits in VMCS02, no VMWRITE
 * exits for what a VMREAD then finds here, no half is written by itself.
 */
static bool field_fits(u32 row, enum shadow_access access)
{
	const struct vmcs_field *d = &vmcs_field[row];

	return caps_field_exists(d) && d->sync != SYNC_LAZY &&
	       (access == READ ? d->class == CLASS_EXIT :
		d->class != CLASS_EXIT && VMCS_ENC_WIDTH(d->encoding) != 1);
}

static bool can_shadow(void)
{
	if (!up_config.vmcs_shadowing || !(rdmsr(MSR_VMX_MISC) & MISC_VMWRITE_ALL) ||
	    !(rdmsr(MSR_VMX_PROCBASED2) >> 32 & CPU2_SHADOW_VMCS))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(shadow_fields); i++)
		if (!field_fits(shadow_fields[i].row, shadow_fields[i].access))
			return false;
	return true;
}

void shadow_vmcs_init(void)
{
	vmread_bitmap_pa = 0;
	if (can_shadow()) {
		vmwrite_bitmap_pa = pool_alloc();
		vmread_bitmap_pa = vmwrite_bitmap_pa ? pool_alloc() : 0;
	}
	if (!vmread_bitmap_pa)
		return;
	memset(phys(vmread_bitmap_pa), 0xff, PAGE_SIZE);
	memset(phys(vmwrite_bitmap_pa), 0xff, PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(shadow_fields); i++) {
		u32 bit = vmcs_field[shadow_fields[i].row].encoding;

		bitmap_clear(phys(vmread_bitmap_pa), bit);
		if (shadow_fields[i].access == WRITE)
			bitmap_clear(phys(vmwrite_bitmap_pa), bit);
	}
	up_log("nested: VMCS shadowing is used");
}

void shadow_vmcs_make(struct percpu *cpu, struct vvmcs *vv, u64 (*frame)(void))
{
	if (vmread_bitmap_pa)
		vv->shadow_pa = frame();
	if (!vv->shadow_pa)
		return;
	*(u32 *)phys(vv->shadow_pa) = caps_revision() | (u32)REVISION_SHADOW;
	for (u32 row = 0; row < NR_VMCS_ROWS; row++)
		vv->shown[row] = ~vv->f[row];	/* nothing yet */
	vmclear(vv->shadow_pa);
	shadow_vmcs_show(vv);
	vmptrld(cpu->vmcs01_pa);
}

/*
 * With no current VMCS L1's instructions exit: whether it is in VMX operation at all,
 * hardware does not know.
 */
void vvmcs_make_current(struct percpu *cpu, struct vvmcs *vv)
{
	bool on = vv && vv->shadow_pa;
	u64 ctls;

	cpu->nested.current = vv;
	if (!vmread_bitmap_pa)
		return;
	ctls = vmread(VMCS_CPU2_CTLS) & ~CPU2_SHADOW_VMCS;
	vmwrite(VMCS_CPU2_CTLS, on ? ctls | CPU2_SHADOW_VMCS : ctls);
	vmwrite(VMCS_VMCS_LINK, on ? vv->shadow_pa : ~0ULL);
	vmwrite(VMCS_VMREAD_BITMAP, vmread_bitmap_pa);
	vmwrite(VMCS_VMWRITE_BITMAP, vmwrite_bitmap_pa);
}

static inline void take(struct vvmcs *vv, u32 row, u32 field, enum shadow_access access)
{
	u64 val;

	if (access != WRITE)
		return;
	val = vmread(field);
	if (val == vv->shown[row])
		return;
	vv->shown[row] = val;
	vv->f[row] = val;
	row_set(vv->dirty, row);
}

/* Both are written out field by field: they run at every entry and exit. */
bool shadow_vmcs_take(struct vvmcs *vv)
{
	if (!vv->shadow_pa)
		return false;
	vmptrld(vv->shadow_pa);
#define SHADOW_FIELD(name, access) take(vv, ROW_##name, VMCS_##name, access);
#include "vmx/vmcs/shadow_fields.h"
	return true;
}

static inline void show(struct vvmcs *vv, u32 row, u32 field)
{
	u64 val = vv->f[row];

	if (val == vv->shown[row])
		return;
	vv->shown[row] = val;
	vmwrite(field, val);
}

void shadow_vmcs_show(struct vvmcs *vv)
{
	if (!vv->shadow_pa)
		return;
	vmptrld(vv->shadow_pa);
#define SHADOW_FIELD(name, access) show(vv, ROW_##name, VMCS_##name);
#include "vmx/vmcs/shadow_fields.h"
}
