// SPDX-License-Identifier: GPL-2.0
/* The processor's own registers, as firmware leaves them. */
#include "fw.h"

#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRR_ENABLED_WB		0x806
#define MSR_APIC_BASE		0x1b
#define APIC_BASE_OFF		0xfee00100	/* where it is after reset, BSP, not enabled */
#define APIC_LVT_LINT0		0xfee00350ULL
#define LVT_EXTINT		0x700
#define CPUID_APIC		BIT(9)	/* leaf 1, edx */
#define CPUID_MTRR		BIT(12)

static void wrmsr(u32 msr, u64 value)
{
	__asm__ __volatile__("wrmsr" : : "c" (msr), "a" ((u32)value), "d" ((u32)(value >> 32)));
}

/**
 * processor_set_up() - leave the processor as a kernel expects it from firmware
 *
 * A PC's firmware leaves all memory write-back (Linux would go without PAT
 * otherwise), and the 8259's interrupts wired through the local APIC.  A local
 * APIC that is switched off does that as well, and takes no MMIO, which is dear
 * in a protected VM; Linux runs without it (nolapic).  Emulators that are not
 * KVM heed LINT0 even then: without a layer MMIO costs nothing, so set it too.
 */
void processor_set_up(void)
{
	u32 eax = 1, ebx, ecx = 0, edx;

	__asm__ __volatile__("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	if (edx & CPUID_MTRR)
		wrmsr(MSR_MTRR_DEF_TYPE, MTRR_ENABLED_WB);
	if (!(edx & CPUID_APIC))
		return;
	if (!layer_present())
		*(volatile u32 *)APIC_LVT_LINT0 = LVT_EXTINT;
	wrmsr(MSR_APIC_BASE, APIC_BASE_OFF);
}
