// SPDX-License-Identifier: GPL-2.0
/*
 * The VMX capabilities that L1 is offered: a constant subset of the hardware's.
 *
 * Not offered, each being a way around what the layer filters at VM entry:
 * APIC-register virtualization, virtual-interrupt delivery, x2APIC mode, posted
 * interrupts, page-modification logging, EPT accessed/dirty flags, VM functions,
 * #VE, sub-page permissions, mode-based execution, Intel PT, ENCLS; nor what KVM
 * does not use: I/O bitmaps, CR3 targets; nor VMCS shadowing, which the layer itself
 * uses for L1 (vmx/vmcs/shadow_vmcs.h).
 */
#include "vmx/intercept/caps.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"

#define BASIC_SIZE_4K		(0x1000ULL << 32)
#define BASIC_TYPE_WB		(6ULL << 50)
#define BASIC_INS_OUTS		BIT(54)
#define BASIC_TRUE_CTLS		BIT(55)

#define MISC_TIMER_RATE		MASK(4, 0)
#define MISC_STORES_LMA		BIT(5)
#define MISC_ACTIVITY_HLT	BIT(6)
#define MISC_ZERO_LEN_INJECT	BIT(30)

#define EPT_VPID_OFFERED	(BIT(0) | BIT(6) | BIT(14) | BIT(16) | BIT(17) | \
				 BIT(20) | BIT(25) | BIT(26) | \
				 BIT(32) | BIT(40) | BIT(41) | BIT(42) | BIT(43))
/* 4-level tables, write-back, INVEPT and INVVPID with the types that the layer itself uses. */
#define EPT_VPID_NEEDED		(BIT(6) | BIT(14) | BIT(20) | BIT(25) | BIT(26) | \
				 BIT(32) | BIT(41) | BIT(42))

#define CPU_OFFERED	(CPU_INTR_WINDOW | CPU_TSC_OFFSETTING | CPU_HLT_EXITING | \
			 CPU_INVLPG_EXITING | CPU_MWAIT_EXITING | CPU_RDPMC_EXITING | \
			 CPU_RDTSC_EXITING | CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING | \
			 CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING | CPU_TPR_SHADOW | \
			 CPU_NMI_WINDOW | CPU_MOV_DR_EXITING | CPU_UNCOND_IO_EXITING | \
			 CPU_MTF | CPU_MSR_BITMAPS | CPU_MONITOR_EXITING | \
			 CPU_PAUSE_EXITING | CPU_SECONDARY_CTLS)
#define CPU2_OFFERED	(CPU2_APIC_ACCESSES | CPU2_EPT | CPU2_DESC_EXITING | CPU2_RDTSCP | \
			 CPU2_VPID | CPU2_WBINVD_EXITING | CPU2_UNRESTRICTED | \
			 CPU2_PAUSE_LOOP | CPU2_RDRAND_EXITING | CPU2_INVPCID | \
			 CPU2_RDSEED_EXITING | CPU2_XSAVES | CPU2_TSC_SCALING | \
			 CPU2_USER_WAIT_PAUSE)

/*
 * One row a set of controls.  "always": set in every VMCS12, so that the layer
 * need not build what software does not use (a 32-bit host, stale debug state).
 * "needed": the layer cannot run without them.
 */
struct ctls_row {
	u32 msr;	/* the true variant */
	u32 default_msr;
	u32 default1;
	u32 offered;
	u32 always;
	u32 needed;
};

static const struct ctls_row ctls_row[NR_CTLS] = {
	[CTLS_PIN] = {
		MSR_VMX_TRUE_PINBASED, MSR_VMX_PINBASED, PIN_DEFAULT1,
		PIN_EXTINT_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS | PIN_PREEMPTION_TIMER,
		0, PIN_EXTINT_EXITING | PIN_NMI_EXITING,
	},
	[CTLS_CPU] = {
		MSR_VMX_TRUE_PROCBASED, MSR_VMX_PROCBASED, CPU_DEFAULT1,
		CPU_OFFERED, 0, CPU_SECONDARY_CTLS | CPU_MSR_BITMAPS,
	},
	[CTLS_CPU2] = {
		MSR_VMX_PROCBASED2, MSR_VMX_PROCBASED2, 0,
		CPU2_OFFERED, 0, CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED,
	},
	[CTLS_EXIT] = {
		MSR_VMX_TRUE_EXIT, MSR_VMX_EXIT, EXIT_DEFAULT1,
		EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_LOAD_PERF_GLOBAL | EXIT_ACK_INTR |
		EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER |
		EXIT_SAVE_PREEMPTION,
		EXIT_SAVE_DEBUG | EXIT_HOST_64,
		EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER,
	},
	[CTLS_ENTRY] = {
		MSR_VMX_TRUE_ENTRY, MSR_VMX_ENTRY, ENTRY_DEFAULT1,
		ENTRY_LOAD_DEBUG | ENTRY_IA32E | ENTRY_LOAD_PERF_GLOBAL | ENTRY_LOAD_PAT |
		ENTRY_LOAD_EFER,
		ENTRY_LOAD_DEBUG,
		ENTRY_LOAD_PAT | ENTRY_LOAD_EFER,
	},
};

struct vmx_caps vmx_caps;
static u64 offered_msr[18];	/* from MSR_VMX_BASIC on; 0: absent */

bool caps_field_exists(const struct vmcs_field *f)
{
	return !f->control || caps_may(f->ctls, f->control);
}

static u64 *offered(u32 msr)
{
	return &offered_msr[msr - MSR_VMX_BASIC];
}

static int offer_ctls(enum vmx_ctls c)
{
	const struct ctls_row *row = &ctls_row[c];
	u64 hw = rdmsr(row->msr);
	u32 must = (u32)hw | row->always;
	u32 may = (u32)(hw >> 32) & (row->offered | must);

	if ((row->needed | row->always) & ~may) {
		up_log("nested: VMX controls %x: processor lacks %x", row->msr,
		       (u32)((row->needed | row->always) & ~may));
		return -UP_ENODEV;
	}
	vmx_caps.ctls[c] = (u64)may << 32 | must;
	*offered(row->msr) = vmx_caps.ctls[c];
	*offered(row->default_msr) = (u64)(may | row->default1) << 32 | must | row->default1;
	return 0;
}

/*
 * A control of a pair is useless, and to KVM suspicious, without the other; and both are
 * without the MSR, as under a hypervisor that gives its guest no counters.
 */
static void pair_perf_global(void)
{
	u64 entry = (u64)ENTRY_LOAD_PERF_GLOBAL << 32;
	u64 exit = (u64)EXIT_LOAD_PERF_GLOBAL << 32;
	u64 ctrl;

	if (!rdmsr_safe(MSR_PERF_GLOBAL_CTRL, &ctrl) &&
	    (vmx_caps.ctls[CTLS_ENTRY] & entry) && (vmx_caps.ctls[CTLS_EXIT] & exit))
		return;
	vmx_caps.ctls[CTLS_ENTRY] &= ~entry;
	vmx_caps.ctls[CTLS_EXIT] &= ~exit;
	*offered(MSR_VMX_TRUE_ENTRY) &= ~entry;
	*offered(MSR_VMX_ENTRY) &= ~entry;
	*offered(MSR_VMX_TRUE_EXIT) &= ~exit;
	*offered(MSR_VMX_EXIT) &= ~exit;
}

/*
 * VM entry fails for a bit that the processor lacks: known by CPUID leaf 0xa (SDM
 * vol. 3, 20.2.5).  Without the controls WRMSR judges.
 */
static void find_counters(void)
{
	u64 perf;
	u32 r[4];

	vmx_caps.perf_global = ~0ULL;
	if (!caps_perf_global())
		return;
	cpuid(0xa, 0, r);
	vmx_caps.perf_global = (BIT(r[0] >> 8 & 0x1f) - 1) |
			       ((BIT(r[3] & 0x1f) - 1) | r[2]) << 32;
	if (!rdmsr_safe(MSR_PERF_CAPABILITIES, &perf) && (perf & PERF_METRICS))
		vmx_caps.perf_global |= PERF_GLOBAL_METRICS;
}

static void offer_fixed_bits(void)
{
	vmx_caps.cr0_fixed0 = rdmsr(MSR_VMX_CR0_FIXED0);
	vmx_caps.cr0_fixed1 = rdmsr(MSR_VMX_CR0_FIXED1);
	vmx_caps.cr4_fixed0 = rdmsr(MSR_VMX_CR4_FIXED0);
	vmx_caps.cr4_fixed1 = rdmsr(MSR_VMX_CR4_FIXED1);
	*offered(MSR_VMX_CR0_FIXED0) = vmx_caps.cr0_fixed0;
	*offered(MSR_VMX_CR0_FIXED1) = vmx_caps.cr0_fixed1;
	*offered(MSR_VMX_CR4_FIXED0) = vmx_caps.cr4_fixed0;
	*offered(MSR_VMX_CR4_FIXED1) = vmx_caps.cr4_fixed1;
}

/* Largest index that any offered encoding has, in bits 9:1 as the MSR wants it. */
static u64 vmcs_enum(void)
{
	u64 max = 0;

	for (u32 row = 0; row < NR_VMCS_ROWS; row++) {
		u64 index = vmcs_field[row].encoding & 0x3fe;

		if (caps_field_exists(&vmcs_field[row]) && index > max)
			max = index;
	}
	return max;
}

static int offer_rest(void)
{
	u64 basic = rdmsr(MSR_VMX_BASIC);
	u64 misc = rdmsr(MSR_VMX_MISC);

	vmx_caps.revision = basic & 0x7fffffff;
	vmx_caps.misc = misc & (MISC_TIMER_RATE | MISC_STORES_LMA | MISC_ACTIVITY_HLT |
				   MISC_ZERO_LEN_INJECT);
	vmx_caps.ept_vpid = rdmsr(MSR_VMX_EPT_VPID_CAP) & EPT_VPID_OFFERED;
	if (EPT_VPID_NEEDED & ~vmx_caps.ept_vpid) {
		up_log("nested: EPT and VPID capabilities lack %llx",
		       (unsigned long long)(EPT_VPID_NEEDED & ~vmx_caps.ept_vpid));
		return -UP_ENODEV;
	}
	*offered(MSR_VMX_BASIC) = vmx_caps.revision | BASIC_SIZE_4K | BASIC_TYPE_WB |
				       BASIC_TRUE_CTLS | (basic & BASIC_INS_OUTS);
	*offered(MSR_VMX_MISC) = vmx_caps.misc;
	*offered(MSR_VMX_EPT_VPID_CAP) = vmx_caps.ept_vpid;
	*offered(MSR_VMX_VMCS_ENUM) = vmcs_enum();
	return 0;
}

int caps_init(void)
{
	int err;

	if (!(rdmsr(MSR_VMX_BASIC) & BASIC_TRUE_CTLS)) {
		up_log("nested: processor lacks the true VMX control MSRs");
		return -UP_ENODEV;
	}
	for (u32 c = 0; c < NR_CTLS; c++) {
		err = offer_ctls(c);
		if (err)
			return err;
	}
	pair_perf_global();
	find_counters();
	offer_fixed_bits();
	return offer_rest();
}

int caps_msr_read(u32 msr, u64 *val)
{
	if (msr == MSR_FEATURE_CONTROL) {
		*val = rdmsr(msr);
		return 0;
	}
	if (msr < MSR_VMX_BASIC || msr >= MSR_VMX_VMFUNC)
		return -UP_ENOENT;
	*val = *offered(msr);
	return 0;
}
