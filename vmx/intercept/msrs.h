/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every MSR that the layer knows of, ascending, one row each.  No include guard: a
 * user defines MSR_ROW(), includes this file, and gets what it asked for.
 *
 * MSR_ROW(first, last, host, vm, list, guest, check)
 *
 *  host   accesses by the demoted host that exit: R, W, RW or NO
 *  vm     accesses by any VM that must exit: the floor under every MSR bitmap
 *  list   in the MSR lists of a VMCS12: NO may not appear; REGISTER may; else the
 *	   field in which VMCS01 and VMCS02 keep it
 *  guest  in a protected VM (vmx/vm/):
 *	   KVM       exits to the host, whose answer counts
 *	   READ      may be read without an exit; writes exit to the host
 *	   FIELD     no exit; a field of VMCS02 has it
 *	   SWITCHED  no exit; the layer swaps it with the host's
 *	   OPEN      no exit; a command, of which nothing stays
 *	   QUIET     exits; the host's value is zero meanwhile
 *	   LAYER     exits; the layer answers
 *  check  what becomes of a value that the host writes, or lists for an entry or
 *	   exit (vmx/intercept/msr.c)
 */
MSR_ROW(TSC,		TSC,		W, W,	REGISTER,		READ,	clock)
MSR_ROW(KVM_WALL_CLOCK_OLD, KVM_SYSTEM_TIME_OLD, W, RW, NO,		KVM,	zero)
MSR_ROW(APIC_BASE,	APIC_BASE,	W, RW,	NO,			KVM,	apic_base)
MSR_ROW(TEST_CTRL,	TEST_CTRL,	NO, NO,	NO,			QUIET,	any)
MSR_ROW(FEATURE_CONTROL, FEATURE_CONTROL, RW, RW, NO,			KVM,	never)
MSR_ROW(TSC_ADJUST,	TSC_ADJUST,	W, W,	NO,			LAYER,	clock)
MSR_ROW(SPEC_CTRL,	SPEC_CTRL,	NO, NO,	REGISTER,		SWITCHED, any)
MSR_ROW(PRED_CMD,	PRED_CMD,	NO, NO,	REGISTER,		OPEN,	any)
MSR_ROW(UCODE_WRITE,	UCODE_WRITE,	W, RW,	NO,			KVM,	ignored)
MSR_ROW(SMM_MONITOR_CTL, SMM_MONITOR_CTL, RW, RW, NO,			KVM,	never)
MSR_ROW(PMC0,		PMC7,		NO, NO,	REGISTER,		KVM,	any)
MSR_ROW(ARCH_CAPABILITIES, ARCH_CAPABILITIES, NO, NO, NO,		LAYER,	any)
MSR_ROW(FLUSH_CMD,	FLUSH_CMD,	NO, NO,	REGISTER,		OPEN,	any)
MSR_ROW(TSX_CTRL,	TSX_CTRL,	NO, NO,	REGISTER,		KVM,	any)
MSR_ROW(MCU_OPT_CTRL,	MCU_OPT_CTRL,	W, W,	NO,			KVM,	mcu_opt_ctrl)
MSR_ROW(MISC_FEATURES,	MISC_FEATURES,	NO, NO,	NO,			QUIET,	any)
MSR_ROW(OC_MAILBOX,	OC_MAILBOX,	W, RW,	NO,			KVM,	never)
MSR_ROW(SYSENTER_CS,	SYSENTER_CS,	NO, NO,	VMCS_GUEST_SYSENTER_CS,	FIELD,	any)
MSR_ROW(SYSENTER_ESP,	SYSENTER_ESP,	NO, NO,	VMCS_GUEST_SYSENTER_ESP, FIELD,	any)
MSR_ROW(SYSENTER_EIP,	SYSENTER_EIP,	NO, NO,	VMCS_GUEST_SYSENTER_EIP, FIELD,	any)
MSR_ROW(PERFEVTSEL0,	PERFEVTSEL7,	NO, NO,	REGISTER,		KVM,	any)
MSR_ROW(MISC_ENABLE,	MISC_ENABLE,	W, W,	NO,			KVM,	misc_enable)
MSR_ROW(OFFCORE_RSP0,	OFFCORE_RSP1,	NO, NO,	REGISTER,		KVM,	any)
MSR_ROW(SMRR_BASE,	SMRR_MASK,	W, RW,	NO,			KVM,	never)
MSR_ROW(MTRR_PHYSBASE0,	MTRR_FIX4K_F8000, W, RW, NO,			KVM,	ignored)
MSR_ROW(PAT,		PAT,		NO, NO,	VMCS_GUEST_PAT,		FIELD,	any)
MSR_ROW(NO_EVICT_MODE,	NO_EVICT_MODE,	W, W,	NO,			KVM,	never)
MSR_ROW(MTRR_DEF_TYPE,	MTRR_DEF_TYPE,	W, RW,	NO,			KVM,	ignored)
MSR_ROW(FIXED_CTR0,	FIXED_CTR2,	NO, NO,	REGISTER,		KVM,	any)
MSR_ROW(FIXED_CTR_CTRL,	FIXED_CTR_CTRL,	NO, NO,	REGISTER,		KVM,	any)
MSR_ROW(PERF_GLOBAL_CTRL, PERF_GLOBAL_CTRL, W, W, VMCS_GUEST_PERF_GLOBAL, QUIET, perf_global)
MSR_ROW(PEBS_ENABLE,	PEBS_ENABLE,	NO, NO,	REGISTER,		QUIET,	any)
MSR_ROW(PEBS_DATA_CFG,	PEBS_DATA_CFG,	NO, NO,	REGISTER,		KVM,	any)
MSR_ROW(MC0_CTL,	MC31_MISC,	NO, W,	NO,			KVM,	any)
MSR_ROW(VMX_BASIC,	VMX_EXIT2,	RW, RW,	NO,			KVM,	never)
MSR_ROW(RTIT_OUTPUT_BASE, RTIT_LAST,	W, RW,	NO,			KVM,	never)
MSR_ROW(DS_AREA,	DS_AREA,	W, RW,	REGISTER,		KVM,	ds_area)
MSR_ROW(X2APIC_ID,	X2APIC_ID,	NO, W,	NO,			LAYER,	any)
MSR_ROW(X2APIC_VERSION,	X2APIC_LAST,	NO, W,	NO,			KVM,	any)
MSR_ROW(TME_ACTIVATE,	TME_EXCLUDE_BASE, W, RW, NO,			KVM,	never)
MSR_ROW(BNDCFGS,	BNDCFGS,	NO, NO,	NO,			QUIET,	any)
MSR_ROW(XSS,		XSS,		W, W,	REGISTER,		QUIET,	xss)
MSR_ROW(LBR_CTL,	LBR_CTL,	NO, NO,	NO,			QUIET,	any)
MSR_ROW(HW_FEEDBACK_PTR, HW_FEEDBACK_CONFIG, W, RW, NO,			KVM,	never)
/* Outside the ranges of a bitmap: always exit. */
MSR_ROW(KVM_FIRST,	KVM_LAST,	NO, NO,	NO,			KVM,	zero)
MSR_ROW(EFER,		EFER,		NO, NO,	VMCS_GUEST_EFER,	LAYER,	any)
MSR_ROW(STAR,		FMASK,		NO, NO,	REGISTER,		SWITCHED, any)
MSR_ROW(FS_BASE,	GS_BASE,	NO, NO,	NO,			FIELD,	any)
MSR_ROW(KERNEL_GS_BASE,	TSC_AUX,	NO, NO,	REGISTER,		SWITCHED, any)

#undef MSR_ROW
