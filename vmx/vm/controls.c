// SPDX-License-Identifier: GPL-2.0
/* VMCS02 of a protected vCPU: controls and masks are the layer's (docs/root.md). */
#include "vmx/vm/exits.h"
#include "vmx/vm/protect.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/bitmap.h"
#include "vmx/intercept/caps.h"
#include "vmx/intercept/msr.h"
#include "vmx/vm/vm.h"
#include "vmx/vmcs/vvmcs.h"
#include "ept/pool.h"
#include "ept/vm_ept.h"

/* Controls that are the layer's: what a hostile KVM must not set or clear. */
#define CPU_NEVER	(CPU_INVLPG_EXITING | CPU_RDTSC_EXITING | CPU_CR3_LOAD_EXITING | \
			 CPU_CR3_STORE_EXITING | CPU_MOV_DR_EXITING | CPU_IO_BITMAPS | CPU_MTF)
#define CPU_ALWAYS	(CPU_TSC_OFFSETTING | CPU_UNCOND_IO_EXITING | CPU_MSR_BITMAPS | \
			 CPU_RDPMC_EXITING | CPU_SECONDARY_CTLS)
#define CPU2_NEVER	(CPU2_DESC_EXITING | CPU2_RDRAND_EXITING | CPU2_RDSEED_EXITING | \
			 CPU2_TSC_SCALING)
/*
 * A guest can make the delivery of #DB and #AC raise them again without end
 * (CVE-2015-8104, CVE-2015-5307); #MC is the host's to handle.
 */
#define EXCEPTIONS	(BIT(VEC_DB) | BIT(VEC_AC) | BIT(VEC_MC))
/* What CPUID says of instructions is true. */
#define CPU2_TOLD	(CPU2_RDTSCP | CPU2_INVPCID)
#define CPU2_ALWAYS	(CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED)

static u64 bitmap_pa;

int protect_init(void)
{
	u32 i, msr;
	u8 *bitmap;

	bitmap_pa = pool_alloc();
	if (!bitmap_pa)
		return -UP_ENOMEM;
	bitmap = phys(bitmap_pa);
	memset(bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < msr_nrows; i++) {
		const struct msr_row *r = &msr_rows[i];
		/* FIELD, SWITCHED, OPEN */
		bool open = r->guest >= GUEST_FIELD && r->guest <= GUEST_OPEN;

		for (msr = r->first; msr <= r->last; msr++) {
			if (open || r->guest == GUEST_READ)
				bitmap_clear(bitmap, (u32)msr_bit(msr, false));
			if (open)
				bitmap_clear(bitmap, (u32)msr_bit(msr, true));
		}
	}
	vcpu_msrs_init();
	return 0;
}

/*
 * KVM offers UMIP also where it has to emulate it.  The layer does not let it
 * (it would see the operands); the guest then keeps a bit without effect.  So it does MCE:
 * without it a machine check, which is the host's, would shut the processor down.
 */
u64 cr4_kept(void)
{
	return CR4_MCE | (CR4_UMIP & ~rdmsr(MSR_VMX_CR4_FIXED1));
}

void protect_bind(struct vcpu *v)
{
	vcpu_init_state(v);
	v->gpr[RSI] = v->index;		/* all start at the reset vector, and ask which they are */
	vmwrite(VMCS_CR0_MASK, CR0_KEPT);
	vmwrite(VMCS_CR0_SHADOW, CR0_CD | CR0_NW);
	vmwrite(VMCS_GUEST_CR0, CR0_ET | CR0_NE);
	vmwrite(VMCS_CR4_MASK, ~CR4_ALLOWED | cr4_kept());
	vmwrite(VMCS_CR4_SHADOW, 0);
	vmwrite(VMCS_GUEST_CR4, CR4_VMXE | (read_cr4() & CR4_MCE));
	vmwrite(VMCS_EXCEPTION_BITMAP, EXCEPTIONS);
	/* No interrupt table until the firmware loads one. */
	vmwrite(VMCS_GUEST_IDTR_LIMIT, 0);
	vmwrite(VMCS_GUEST_PERF_GLOBAL, 0);	/* the host's counters stop */
	vmwrite(VMCS_PF_ERROR_MASK, 0);
	vmwrite(VMCS_PF_ERROR_MATCH, 0);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
}

void protect_windows(const struct vcpu *v)
{
	u64 ctls = (v->vv->f[ROW_CPU_CTLS] & ~CPU_NEVER) | CPU_ALWAYS;

	if (v->held_intr)
		ctls |= CPU_INTR_WINDOW;
	if (v->held_nmi && !v->ghci.ve && caps_may(CTLS_PIN, PIN_VIRTUAL_NMIS))
		ctls |= CPU_NMI_WINDOW;
	vmwrite(VMCS_CPU_CTLS, ctls);
}

/* After sync_controls(): what of it is not L1's to decide. */
void protect_controls(struct vcpu *v)
{
	const u64 *f = v->vv->f;
	u64 cpu2 = f[ROW_CPU_CTLS] & CPU_SECONDARY_CTLS ? f[ROW_CPU2_CTLS] : 0;
	u64 entry = f[ROW_ENTRY_CTLS] & ~ENTRY_IA32E;
	u64 exit = f[ROW_EXIT_CTLS] | EXIT_SAVE_DEBUG | EXIT_SAVE_EFER | EXIT_LOAD_EFER |
		   EXIT_SAVE_PAT | EXIT_LOAD_PAT;
	u64 pin = f[ROW_PIN_CTLS] | PIN_EXTINT_EXITING | PIN_NMI_EXITING;

	if (f[ROW_PIN_CTLS] & PIN_PREEMPTION_TIMER)
		exit |= EXIT_SAVE_PREEMPTION;
	if (caps_perf_global()) {
		entry |= ENTRY_LOAD_PERF_GLOBAL;
		exit |= EXIT_LOAD_PERF_GLOBAL;
	}
	if (vmread(VMCS_GUEST_EFER) & EFER_LMA)
		entry |= ENTRY_IA32E;
	/* Without virtual NMIs L1 could inject one into the handler of another. */
	if (caps_may(CTLS_PIN, PIN_VIRTUAL_NMIS))
		pin |= PIN_VIRTUAL_NMIS;
	vmwrite(VMCS_PIN_CTLS, pin);
	vmwrite(VMCS_CPU2_CTLS, (cpu2 & ~CPU2_NEVER) | CPU2_ALWAYS |
		(vmx_caps.ctls[CTLS_CPU2] >> 32 & CPU2_TOLD));
	vmwrite(VMCS_ENTRY_CTLS, entry | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT | ENTRY_LOAD_DEBUG);
	vmwrite(VMCS_EXIT_CTLS, exit);
	vmwrite(VMCS_MSR_BITMAP, bitmap_pa);
	if (v->bare && !v->index)
		v->vm->tsc_offset = f[ROW_TSC_OFFSET];
	vmwrite(VMCS_TSC_OFFSET, v->vm->tsc_offset);
	vmwrite(VMCS_XSS_EXIT_BITMAP, 0);	/* XSS is */
	if (v->vm->ghci)		/* that its first vCPU asked for */
		vmwrite(VMCS_EXCEPTION_BITMAP, EXCEPTIONS | BIT(VEC_UD));
	vmwrite(VMCS_EPTP, vm_ept_eptp(v->vm->ept));
}
