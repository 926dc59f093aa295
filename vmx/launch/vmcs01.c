// SPDX-License-Identifier: GPL-2.0
/*
 * The demoted host's VMCS: what it exits for, and where exits come in.  As little
 * as possible is intercepted (docs/architecture.md: the host must notice nothing).
 */
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/launch/launch.h"
#include "vmx/base/log.h"
#include "vmx/intercept/caps.h"
#include "vmx/intercept/msr.h"
#include "vmx/intercept/port.h"
#include "vmx/cpu/root_state.h"
#include "vmx/cpu/speculation.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/base/x86.h"

/* One row a set of controls; capability MSRs are the "true" ones (caps_init()). */
static const struct {
	u32 field, msr;
	u32 must, may;
} controls[] = {
	{ VMCS_PIN_CTLS, MSR_VMX_TRUE_PINBASED, 0, 0 },
	{ VMCS_CPU_CTLS, MSR_VMX_TRUE_PROCBASED,
	  CPU_IO_BITMAPS | CPU_MSR_BITMAPS | CPU_SECONDARY_CTLS, 0 },
	{ VMCS_CPU2_CTLS, MSR_VMX_PROCBASED2, CPU2_EPT | CPU2_UNRESTRICTED | CPU2_VPID,
	  CPU2_RDTSCP | CPU2_INVPCID | CPU2_XSAVES | CPU2_USER_WAIT_PAUSE },
	{ VMCS_EXIT_CTLS, MSR_VMX_TRUE_EXIT, EXIT_HOST_64 | EXIT_SAVE_DEBUG | EXIT_SAVE_EFER |
	  EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT, 0 },
	{ VMCS_ENTRY_CTLS, MSR_VMX_TRUE_ENTRY,
	  ENTRY_IA32E | ENTRY_LOAD_DEBUG | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT, 0 },
};

static int init_controls(struct percpu *cpu)
{
	u32 i, val;
	u64 cap;

	for (i = 0; i < ARRAY_SIZE(controls); i++) {
		cap = rdmsr(controls[i].msr);
		val = (controls[i].must | controls[i].may | (u32)cap) & (u32)(cap >> 32);
		if (controls[i].must & ~val) {
			up_log("launch: CPU %u: VMX controls %x lack %x", cpu->cpu, controls[i].msr,
			       controls[i].must & ~val);
			return -UP_ENODEV;
		}
		vmwrite(controls[i].field, val);
	}
	return 0;
}

int vmcs01_init(struct percpu *cpu)
{
	int err = init_controls(cpu);

	if (err)
		return err;
	/* The host's counters; for its later writes, see host_msr_write(). */
	if (caps_perf_global()) {
		vmwrite(VMCS_GUEST_PERF_GLOBAL, rdmsr(MSR_PERF_GLOBAL_CTRL));
		vmwrite(VMCS_EXIT_CTLS, vmread(VMCS_EXIT_CTLS) | EXIT_LOAD_PERF_GLOBAL);
		vmwrite(VMCS_ENTRY_CTLS, vmread(VMCS_ENTRY_CTLS) | ENTRY_LOAD_PERF_GLOBAL);
	}
	speculation_init();
	root_state_init(cpu);
	vmwrite(VMCS_VPID, HOST_VPID);
	vmwrite(VMCS_MSR_BITMAP, msr_bitmap_host());
	vmwrite(VMCS_IO_BITMAP_A, io_bitmap(0));
	vmwrite(VMCS_IO_BITMAP_B, io_bitmap(1));
	vmwrite(VMCS_EXCEPTION_BITMAP, 0);
	vmwrite(VMCS_PF_ERROR_MASK, 0);
	vmwrite(VMCS_PF_ERROR_MATCH, 0);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	/* NE must stay set and VMXE is the layer's; Linux sees its own values. */
	vmwrite(VMCS_CR0_MASK, CR0_NE);
	vmwrite(VMCS_CR4_MASK, CR4_VMXE);
	return 0;
}
