// SPDX-License-Identifier: GPL-2.0
/*
 * What a protected VM is told of its processor (S1.4): what KVM offers, as far as the
 * processor has it and the layer switches it.  Where the guest would trust the host's
 * word and lose by it, the layer answers with the processor's own.
 */
#include "vmx/vm/exits.h"
#include "vmx/base/asm.h"
#include "vmx/base/lib.h"
#include "vmx/base/x86.h"
#include "vmx/vm/vm.h"

#define CPUID1_ECX_EMULATED	(BIT(31) | BIT(24) | BIT(21)) /* hypervisor, TSC deadline, x2APIC */
#define CPUID7_ECX_OFFERED	(MASK(14, 8) | BIT(22) | BIT(3) | BIT(2) | BIT(1))
/* User interrupts, PCONFIG, architectural LBR, IBT, AMX, core capabilities */
#define CPUID7_EDX_NEVER	(BIT(5) | MASK(20, 18) | BIT(22) | BIT(24) | BIT(25) | BIT(30))
/* Instructions alone: AVX-VNNI, AVX512-BF16, fast string operations; VNNI-INT8 and -INT16 */
#define CPUID71_EAX_OFFERED	(BIT(4) | BIT(5) | MASK(12, 10))
#define CPUID71_EDX_OFFERED	(BIT(4) | BIT(5) | BIT(10) | BIT(14))
#define CPUID_EXT1_EDX_RDTSCP	BIT(27)
/* Vulnerabilities that are not there, and what VERW clears; no bit that announces an MSR */
#define ARCH_CAPABILITIES_SHOWN	(MASK(6, 0) | BIT(8) | MASK(15, 13) | BIT(17) | BIT(19) | \
				 BIT(20) | BIT(24) | MASK(28, 26))

u64 protect_arch_capabilities(void)
{
	u64 val;

	return rdmsr_safe(MSR_ARCH_CAPABILITIES, &val) ? 0 : val & ARCH_CAPABILITIES_SHOWN;
}

/*
 * Leaf 0xd describes XCR0, which the layer keeps: KVM does not know the VM's and
 * would state the sizes for another.  The VM's XCR0 is in force here.
 */
static void xstate(u32 sub, u32 r[4])
{
	u64 mask = vcpu_xcr0_mask();

	cpuid(0xd, sub, r);
	if (sub == 0) {
		r[0] &= (u32)mask;
		r[3] &= (u32)(mask >> 32);
	} else if (sub == 1) {
		r[0] &= CPUID_D1_XSAVEOPT | CPUID_D1_XSAVEC | CPUID_D1_XGETBV1;
		r[2] = r[3] = 0;
	} else if (sub > 62 || !(mask & BIT(sub))) {
		memset(r, 0, 4 * sizeof(*r));
	}
}

static void features_7_1(u32 r[4])
{
	cpuid(7, 0, r);
	if (!r[0]) {
		memset(r, 0, 4 * sizeof(*r));
		return;
	}
	cpuid(7, 1, r);
	r[0] &= (u32)CPUID71_EAX_OFFERED;
	r[1] = r[2] = 0;
	r[3] &= (u32)CPUID71_EDX_OFFERED;
}

/*
 * A guest of the GHCI learns here that it is one.  Linux keeps x2APIC without interrupt
 * remapping only above a hypervisor that it knows: KVM, with no feature.
 */
static bool ghci_leaf(u32 leaf, u32 r[4])
{
	if (leaf == 0x21)
		memcpy(r, "\0\0\0\0Inte    lTDX", 4 * sizeof(*r));
	else if (leaf == 0x40000000)
		memcpy(r, "\1\0\0@KVMKVMKVM\0\0", 4 * sizeof(*r));
	else if (leaf == 0x80000008)	/* how wide an address is: where the shared bit lies */
		cpuid(leaf, 0, r);
	else
		return false;
	return true;
}

bool protect_cpuid(const struct vcpu *v, u32 leaf, u32 sub, u32 r[4])
{
	memset(r, 0, 4 * sizeof(*r));
	if (v->vm->ghci && ghci_leaf(leaf, r))
		return true;
	if (leaf == 0xd) {
		xstate(sub, r);
	} else if (leaf == 7 && sub) {
		if (sub == 1)
			features_7_1(r);
	} else if (leaf == 0x80000001) {
		cpuid(leaf, 0, r);
		if (!(vmread(VMCS_CPU2_CTLS) & CPU2_RDTSCP))
			r[3] &= ~(u32)CPUID_EXT1_EDX_RDTSCP;
	} else {
		/* KVM's paravirtual leaves would invite the guest to share its secrets. */
		return leaf >> 28 == 4;
	}
	return true;
}

/* Of leaves 1 and 7.0; and the mirrors of CR4, which KVM cannot see. */
void protect_correct_cpuid(u64 *gpr, u32 leaf, u32 sub)
{
	u64 cr4 = vmread(VMCS_GUEST_CR4);
	u32 r[4];

	cpuid(leaf, sub, r);
	if (leaf == 1) {
		gpr[RCX] &= (r[2] | CPUID1_ECX_EMULATED) &
			    ~(CPUID1_ECX_VMX | CPUID1_ECX_OSXSAVE);
		if (cr4 & CR4_OSXSAVE)
			gpr[RCX] |= CPUID1_ECX_OSXSAVE;
	} else if (leaf == 7) {
		gpr[RAX] = !!r[0];		/* of 7.n the layer knows 7.1 */
		gpr[RBX] &= r[1];
		gpr[RCX] &= r[2] & CPUID7_ECX_OFFERED;
		gpr[RDX] &= r[3] & ~CPUID7_EDX_NEVER;
		if ((gpr[RCX] & CPUID7_ECX_PKU) && (cr4 & CR4_PKE))
			gpr[RCX] |= CPUID7_ECX_OSPKE;
	}
}
