// SPDX-License-Identifier: GPL-2.0
/*
 * The demoted host's VMCS: what it exits for, and where exits come in.  As little
 * as possible is intercepted (design, section 3: the host must notice nothing).
 */
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/cpus.h"
#include "vmx/launch/launch.h"
#include "vmx/base/log.h"
#include "vmx/intercept/msr.h"
#include "vmx/base/offsets.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/base/x86.h"

#define HOST_VPID	1	/* vmx/nested/entry.c gives VMs the others */

u32 vmx_control(u32 msr, u32 true_msr, u32 want)
{
	u64 cap = rdmsr(rdmsr(MSR_VMX_BASIC) & BIT(55) ? true_msr : msr);

	return (want | (u32)cap) & (u32)(cap >> 32);
}

static int init_controls(struct percpu *cpu)
{
	u32 must = CPU2_EPT | CPU2_UNRESTRICTED | CPU2_VPID;
	u32 cpu2;

	vmwrite(VMCS_PIN_CTLS,
		vmx_control(MSR_VMX_PINBASED, MSR_VMX_TRUE_PINBASED, 0));
	vmwrite(VMCS_CPU_CTLS,
		vmx_control(MSR_VMX_PROCBASED, MSR_VMX_TRUE_PROCBASED,
			    CPU_IO_BITMAPS | CPU_MSR_BITMAPS | CPU_SECONDARY_CTLS));
	cpu2 = vmx_control(MSR_VMX_PROCBASED2, MSR_VMX_PROCBASED2,
			   must | CPU2_RDTSCP | CPU2_INVPCID | CPU2_XSAVES | CPU2_USER_WAIT_PAUSE);
	if ((cpu2 & must) != must) {
		up_log("launch: CPU %u: no EPT, VPID or unrestricted guest", cpu->cpu);
		return -UP_ENODEV;
	}
	vmwrite(VMCS_CPU2_CTLS, cpu2);
	vmwrite(VMCS_EXIT_CTLS,
		vmx_control(MSR_VMX_EXIT, MSR_VMX_TRUE_EXIT,
			    EXIT_HOST_64 | EXIT_SAVE_DEBUG | EXIT_SAVE_EFER | EXIT_LOAD_EFER |
			    EXIT_SAVE_PAT | EXIT_LOAD_PAT));
	vmwrite(VMCS_ENTRY_CTLS,
		vmx_control(MSR_VMX_ENTRY, MSR_VMX_TRUE_ENTRY,
			    ENTRY_IA32E | ENTRY_LOAD_DEBUG | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT));
	return 0;
}

void vmcs_init_host_state(struct percpu *cpu)
{
	u64 area = (u64)cpu - UP_CPU_DATA_OFF;

	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, up_config.root_cr3);
	vmwrite(VMCS_HOST_CR4, (read_cr4() & (CR4_SMEP | CR4_LA57 | CR4_MCE | CR4_OSXSAVE)) |
		CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_VMXE);
	vmwrite(VMCS_HOST_CS_SEL, ROOT_CS);
	vmwrite(VMCS_HOST_SS_SEL, ROOT_DS);
	vmwrite(VMCS_HOST_DS_SEL, 0);
	vmwrite(VMCS_HOST_ES_SEL, 0);
	vmwrite(VMCS_HOST_FS_SEL, 0);
	vmwrite(VMCS_HOST_GS_SEL, 0);
	vmwrite(VMCS_HOST_TR_SEL, ROOT_TR);
	vmwrite(VMCS_HOST_FS_BASE, 0);
	vmwrite(VMCS_HOST_GS_BASE, (u64)cpu);
	vmwrite(VMCS_HOST_TR_BASE, (u64)cpu->tss);
	vmwrite(VMCS_HOST_GDTR_BASE, (u64)cpu->gdt);
	vmwrite(VMCS_HOST_IDTR_BASE, (u64)cpu->idt);
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	vmwrite(VMCS_HOST_PAT, rdmsr(MSR_PAT));
	vmwrite(VMCS_HOST_RIP, (u64)vmexit_entry);
	vmwrite(VMCS_HOST_RSP, area + UP_CPU_STACK_OFF + UP_CPU_STACK_SIZE);
}

int vmcs01_init(struct percpu *cpu)
{
	int err = init_controls(cpu);

	if (err)
		return err;
	vmcs_init_host_state(cpu);
	vmwrite(VMCS_VPID, HOST_VPID);
	vmwrite(VMCS_MSR_BITMAP, msr_bitmap_host());
	vmwrite(VMCS_IO_BITMAP_A, io_bitmap_host(0));
	vmwrite(VMCS_IO_BITMAP_B, io_bitmap_host(1));
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
