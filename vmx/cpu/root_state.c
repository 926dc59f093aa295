// SPDX-License-Identifier: GPL-2.0
/* See root_state.h (SDM vol. 3, section 25.5). */
#include "vmx/cpu/root_state.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/offsets.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/vmcs.h"

struct root_entries root_entries;

void root_state_init(struct percpu *cpu)
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
	vmwrite(VMCS_HOST_PERF_GLOBAL, 0);	/* nothing counts or samples root mode */
	vmwrite(VMCS_HOST_RIP, root_entries.exit);
	vmwrite(VMCS_HOST_RSP, area + UP_CPU_STACK_OFF + UP_CPU_STACK_SIZE);
}
