// SPDX-License-Identifier: GPL-2.0
/*
 * Checks on VM entry of what L1 wrote (SDM vol. 3, sections 27.2 and 27.3).
 *
 * Hardware repeats, on VMCS02, every check of fields that are copied unchanged.
 * Here are those that it cannot make: controls that the layer merges, host state
 * (which becomes guest state of VMCS01), addresses, and features not offered.
 * Each check has a name; a failure is logged by it.
 */
#include "vmx/vmcs/check.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/paging.h"
#include "vmx/intercept/caps.h"
#include "ept/owner.h"

#define MSR_LIST_MAX	512	/* IA32_VMX_MISC[27:25] = 0 */
#define MSR_ENTRY_SIZE	16

static inline u64 f(const struct vvmcs *vv, u32 row)
{
	return vv->f[row];
}

static inline u64 cpu2(const struct vvmcs *vv)
{
	return f(vv, ROW_CPU_CTLS) & CPU_SECONDARY_CTLS ? f(vv, ROW_CPU2_CTLS) : 0;
}

static bool ctls_ok(u64 val, enum vmx_ctls c)
{
	u32 must = (u32)vmx_caps.ctls[c], may = vmx_caps.ctls[c] >> 32;

	return !(must & ~val) && !(val & ~(u64)may);
}

static bool msr_list_ok(const struct vvmcs *vv, u32 count_row, u32 addr_row)
{
	u64 count = f(vv, count_row), pa = f(vv, addr_row);

	if (!count)
		return true;
	return count <= MSR_LIST_MAX && IS_ALIGNED(pa, MSR_ENTRY_SIZE) &&
	       pa_valid(pa) && pa_valid(pa + count * MSR_ENTRY_SIZE - 1);
}

/* Section 25.6.11.  Accessed and dirty flags are not offered; 4 levels. */
bool vmcs12_eptp_ok(u64 eptp)
{
	u64 type = eptp & 7, levels = eptp >> 3 & 7, flags = eptp & MASK(11, 6);

	return (type == 6 || (type == 0 && (vmx_caps.ept_vpid & BIT(8)))) && levels == 3 &&
	       !flags && pa_valid(eptp);
}

static const char *check_control_bits(const struct vvmcs *vv)
{
	static const struct {
		const char *name;
		u32 row;
		enum vmx_ctls ctls;
	} set[] = {
		{ "pin-based controls", ROW_PIN_CTLS, CTLS_PIN },
		{ "processor-based controls", ROW_CPU_CTLS, CTLS_CPU },
		{ "VM-exit controls", ROW_EXIT_CTLS, CTLS_EXIT },
		{ "VM-entry controls", ROW_ENTRY_CTLS, CTLS_ENTRY },
	};

	for (u32 i = 0; i < ARRAY_SIZE(set); i++)
		if (!ctls_ok(f(vv, set[i].row), set[i].ctls))
			return set[i].name;
	if ((f(vv, ROW_CPU_CTLS) & CPU_SECONDARY_CTLS) &&
	    !ctls_ok(f(vv, ROW_CPU2_CTLS), CTLS_CPU2))
		return "secondary controls";
	return NULL;
}

const char *vmcs12_check_controls(const struct vvmcs *vv)
{
	const char *failed = check_control_bits(vv);
	u64 second = cpu2(vv);

	if (failed)
		return failed;
	/* Without EPT a VM would run on L1's own shadow tables, which nobody checks. */
	if (!(second & CPU2_EPT))
		return "EPT is not enabled";
	if (!vmcs12_eptp_ok(f(vv, ROW_EPTP)))
		return "EPTP";
	if ((second & CPU2_VPID) && !f(vv, ROW_VPID))
		return "VPID is 0";
	if ((f(vv, ROW_EXIT_CTLS) & EXIT_SAVE_PREEMPTION) &&
	    !(f(vv, ROW_PIN_CTLS) & PIN_PREEMPTION_TIMER))
		return "preemption timer is saved but not active";
	if (f(vv, ROW_CR3_TARGET_COUNT))
		return "CR3-target count";	/* none is offered */
	if (!msr_list_ok(vv, ROW_EXIT_MSR_STORE_COUNT, ROW_EXIT_MSR_STORE_ADDR))
		return "VM-exit MSR-store list";
	if (!msr_list_ok(vv, ROW_EXIT_MSR_LOAD_COUNT, ROW_EXIT_MSR_LOAD_ADDR))
		return "VM-exit MSR-load list";
	if (!msr_list_ok(vv, ROW_ENTRY_MSR_LOAD_COUNT, ROW_ENTRY_MSR_LOAD_ADDR))
		return "VM-entry MSR-load list";
	return NULL;
}

static bool frame_ok(u64 pa)
{
	return pa_is_frame(pa) && frame_host_usable(pa >> PAGE_SHIFT);
}

const char *vmcs12_check_addresses(const struct vvmcs *vv)
{
	u64 cpu = f(vv, ROW_CPU_CTLS);

	if ((cpu & CPU_TPR_SHADOW) && !frame_ok(f(vv, ROW_VIRTUAL_APIC_ADDR)))
		return "virtual-APIC address";
	if ((cpu2(vv) & CPU2_APIC_ACCESSES) && !frame_ok(f(vv, ROW_APIC_ACCESS_ADDR)))
		return "APIC-access address";
	if ((cpu & CPU_MSR_BITMAPS) && !frame_ok(f(vv, ROW_MSR_BITMAP)))
		return "MSR-bitmap address";
	return NULL;
}

static bool pat_ok(u64 pat)
{
	for (u32 i = 0; i < 8; i++, pat >>= 8) {
		u8 type = pat;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static bool efer_ok(u64 efer)
{
	return !(efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) &&
	       (efer & EFER_LME) && (efer & EFER_LMA);
}

/* Section 27.2.2: each field that VMCS01's guest area must be able to take. */
static const char *check_host_control_registers(const struct vvmcs *vv)
{
	u64 cr0 = f(vv, ROW_HOST_CR0), cr4 = f(vv, ROW_HOST_CR4);

	if ((vmx_caps.cr0_fixed0 & ~cr0) || (cr0 & ~vmx_caps.cr0_fixed1))
		return "host CR0";
	if ((vmx_caps.cr4_fixed0 & ~cr4) || (cr4 & ~vmx_caps.cr4_fixed1) ||
	    !(cr4 & CR4_PAE) || ((cr4 & CR4_CET) && !(cr0 & CR0_WP)))
		return "host CR4";
	if (!pa_valid(f(vv, ROW_HOST_CR3)))
		return "host CR3";
	if ((f(vv, ROW_EXIT_CTLS) & EXIT_LOAD_EFER) && !efer_ok(f(vv, ROW_HOST_EFER)))
		return "host EFER";
	return NULL;
}

bool host_field_ok(const struct vvmcs *vv, u32 guest_field, u64 val)
{
	switch (guest_field) {
	case VMCS_GUEST_EFER:
		return efer_ok(val);
	case VMCS_GUEST_PAT:
		return pat_ok(val);
	case VMCS_GUEST_SYSENTER_CS:
	case VMCS_GUEST_PERF_GLOBAL:	/* its row has a check */
		return true;
	case VMCS_GUEST_SYSENTER_ESP:
	case VMCS_GUEST_SYSENTER_EIP:
		return la_canonical(val, f(vv, ROW_HOST_CR4) & CR4_LA57);
	default:
		return false;
	}
}

static const char *check_host_segments(const struct vvmcs *vv)
{
	static const u8 selector[] = {
		ROW_HOST_ES_SEL, ROW_HOST_CS_SEL, ROW_HOST_SS_SEL, ROW_HOST_DS_SEL,
		ROW_HOST_FS_SEL, ROW_HOST_GS_SEL, ROW_HOST_TR_SEL,
	};

	for (u32 i = 0; i < ARRAY_SIZE(selector); i++)
		if (f(vv, selector[i]) & 7)	/* RPL and TI */
			return "host selector";
	if (!f(vv, ROW_HOST_CS_SEL) || !f(vv, ROW_HOST_TR_SEL))
		return "host CS or TR is null";
	return NULL;
}

static const char *check_host_addresses(const struct vvmcs *vv)
{
	static const u8 canonical[] = {
		ROW_HOST_FS_BASE, ROW_HOST_GS_BASE, ROW_HOST_TR_BASE, ROW_HOST_GDTR_BASE,
		ROW_HOST_IDTR_BASE, ROW_HOST_SYSENTER_ESP, ROW_HOST_SYSENTER_EIP, ROW_HOST_RIP,
	};
	bool la57 = f(vv, ROW_HOST_CR4) & CR4_LA57;

	for (u32 i = 0; i < ARRAY_SIZE(canonical); i++)
		if (!la_canonical(f(vv, canonical[i]), la57))
			return "host address is not canonical";
	return NULL;
}

const char *vmcs12_check_host_state(const struct vvmcs *vv)
{
	const char *failed = check_host_control_registers(vv);

	if (!failed)
		failed = check_host_segments(vv);
	if (!failed)
		failed = check_host_addresses(vv);
	if (!failed && (f(vv, ROW_EXIT_CTLS) & EXIT_LOAD_PAT) && !pat_ok(f(vv, ROW_HOST_PAT)))
		failed = "host PAT";
	if (!failed && (f(vv, ROW_EXIT_CTLS) & EXIT_LOAD_PERF_GLOBAL) &&
	    (f(vv, ROW_HOST_PERF_GLOBAL) & ~vmx_caps.perf_global))
		failed = "host PERF_GLOBAL_CTRL";
	return failed;
}

const char *vmcs12_check_guest_state(const struct vvmcs *vv, u64 *qual)
{
	*qual = 0;
	if (f(vv, ROW_GUEST_ACTIVITY) > ACTIVITY_HLT)
		return "guest activity state is not offered";
	if (f(vv, ROW_VMCS_LINK) != ~0ULL) {
		*qual = 4;	/* section 27.8 */
		return "VMCS link pointer";
	}
	return NULL;
}
