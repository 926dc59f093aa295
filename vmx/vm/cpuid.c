// SPDX-License-Identifier: GPL-2.0
/*
 * What a protected VM is told of its processor (S1.4): the processor's own answer, less
 * what the layer does not switch for it.  The host has no word in it: it could invent a
 * capability, or hide that a mitigation is needed.
 */
#include "vmx/vm/exits.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/x86.h"
#include "vmx/vm/vm.h"

#define ALL	(~0u)
#define LAST_LEAF	0x15

/* Instructions alone; no debug store, VMX, SMX, thermal and frequency control, PDCM */
#define F1_ECX	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | \
		 BIT(20) | BIT(22) | BIT(23) | BIT(25) | BIT(26) | MASK(30, 28))
#define F1_ECX_EMULATED	(BIT(31) | BIT(24) | BIT(21)) /* hypervisor, TSC deadline, x2APIC */
#define F1_EDX	(MASK(9, 0) | MASK(17, 11) | BIT(19) | MASK(26, 23))
/* No TSC_ADJUST, SGX, TSX, resource control, MPX, Intel PT */
#define F7_EBX	(BIT(0) | BIT(3) | MASK(10, 5) | BIT(13) | MASK(24, 16) | MASK(31, 26))
#define F7_ECX	(MASK(14, 8) | BIT(22) | BIT(3) | BIT(2) | BIT(1))
/* AVX-512's, fast REP, MD_CLEAR, SERIALIZE; predictors, L1D_FLUSH, ARCH_CAPABILITIES, SSBD */
#define F7_EDX	(MASK(4, 2) | BIT(8) | BIT(10) | BIT(14) | BIT(23) | MASK(29, 26) | \
		 BIT(31))
/* Instructions alone: AVX-VNNI, AVX512-BF16, fast string operations; VNNI-INT8 and -INT16 */
#define F7_1_EAX	(BIT(4) | BIT(5) | MASK(12, 10))
#define F7_1_EDX	(BIT(4) | BIT(5) | BIT(10) | BIT(14))
#define EXT1_EDX	(BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29))
/* Vulnerabilities that are not there, and what VERW clears; no bit that announces an MSR */
#define ARCH_CAPABILITIES_SHOWN	(MASK(6, 0) | BIT(8) | MASK(15, 13) | BIT(17) | BIT(19) | \
				 BIT(20) | BIT(24) | MASK(28, 26))

/* What of the processor's answer is the VM's, too, of this sub-leaf or of all.  Others are zero. */
static const struct {
	u32 first, last, sub, keep[4];
} rows[] = {
	{ 0, 0, ALL, { 0, ALL, ALL, ALL } },
	{ 1, 1, ALL, { ALL, MASK(15, 8), F1_ECX, F1_EDX } },
	{ 2, 2, ALL, { ALL, ALL, ALL, ALL } },
	{ 4, 4, ALL, { MASK(13, 0), ALL, ALL, ALL } },
	{ 6, 6, ALL, { BIT(2), 0, 0, 0 } },		/* its timer never stops */
	{ 7, 7, 0, { 0, F7_EBX, F7_ECX, F7_EDX } },
	{ 7, 7, 1, { F7_1_EAX, 0, 0, F7_1_EDX } },
	{ 0x80000000, 0x80000000, ALL, { ALL, 0, 0, 0 } },
	{ 0x80000001, 0x80000001, ALL, { 0, 0, BIT(0) | BIT(5) | BIT(8), EXT1_EDX } },
	{ 0x80000002, 0x80000004, ALL, { ALL, ALL, ALL, ALL } },
	{ 0x80000006, 0x80000006, ALL, { 0, 0, ALL, 0 } },
	{ 0x80000007, 0x80000007, ALL, { 0, 0, 0, BIT(8) } },	/* the TSC's rate is constant */
	{ 0x80000008, 0x80000008, ALL, { MASK(15, 0), 0, 0, 0 } }, /* where the shared bit lies */
};

u64 protect_arch_capabilities(void)
{
	u64 val;

	return rdmsr_safe(MSR_ARCH_CAPABILITIES, &val) ? 0 : val & ARCH_CAPABILITIES_SHOWN;
}

/* Leaf 0xd describes XCR0: the VM's is in force here. */
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

/* One package of cores without siblings; APIC ids are the vCPUs' indices. */
static void cores(const struct vcpu *v, u32 sub, u32 r[4])
{
	u32 n = v->vm->nvcpus;

	if (sub < 2) {
		r[0] = sub && n > 1 ? 32 - (u32)__builtin_clz(n - 1) : 0;
		r[1] = sub ? n : 1;
		r[2] = (sub + 1) << 8;	/* what level: SMT, core */
	}
	r[2] |= sub & 0xff;
	r[3] = v->index;
}

/*
 * What the processor's answer would be wrong in, the mirrors of CR4 among it.  A guest of the
 * GHCI learns here that it is one.  Linux keeps x2APIC without interrupt remapping only above
 * a hypervisor that it knows: KVM, with no feature.
 */
static void correct(const struct vcpu *v, u32 leaf, u32 sub, u32 r[4])
{
	u64 cr4 = vmread(VMCS_GUEST_CR4);
	u32 n = v->vm->nvcpus;

	if (leaf == 0) {
		r[0] = LAST_LEAF;
	} else if (leaf == 1) {
		r[1] |= v->index << 24 | n << 16;
		r[2] |= F1_ECX_EMULATED | (cr4 & CR4_OSXSAVE ? CPUID1_ECX_OSXSAVE : 0);
		r[3] |= n > 1 ? BIT(28) : 0;
	} else if (leaf == 4 && r[0]) {
		r[0] |= (n - 1) << 26;
	} else if (leaf == 7 && !sub) {
		r[0] = 1;		/* there is 7.1 */
		r[2] |= (r[2] & CPUID7_ECX_PKU) && (cr4 & CR4_PKE) ? CPUID7_ECX_OSPKE : 0;
	} else if (leaf == 0xb) {
		cores(v, sub, r);
	} else if (leaf == 0xd) {
		xstate(sub, r);
	} else if (leaf == LAST_LEAF) {	/* TSC = ECX * EBX / EAX */
		r[0] = 1;
		r[1] = 2;
		r[2] = up_config.tsc_khz * 500;
	} else if (leaf == 0x21 && v->vm->ghci) {
		memcpy(r, "\0\0\0\0Inte    lTDX", 4 * sizeof(*r));
	} else if (leaf == 0x40000000 && v->vm->ghci) {
		memcpy(r, "\1\0\0@KVMKVMKVM\0\0", 4 * sizeof(*r));
	}
}

void protect_cpuid(const struct vcpu *v, u32 leaf, u32 sub, u32 r[4])
{
	u32 i, n;

	memset(r, 0, 4 * sizeof(*r));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (leaf < rows[i].first || leaf > rows[i].last ||
		    (rows[i].sub != ALL && rows[i].sub != sub))
			continue;
		cpuid(leaf, sub, r);
		for (n = 0; n < 4; n++)
			r[n] &= rows[i].keep[n];
	}
	correct(v, leaf, sub, r);
}
