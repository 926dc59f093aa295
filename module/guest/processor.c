// SPDX-License-Identifier: GPL-2.0
/* The processor's own registers, as firmware leaves them. */
#include "fw.h"
#include "vmx/base/lib.h"

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

#define MSR_APIC_BASE_X2APIC	0xfee00d00	/* BSP, enabled, x2APIC */
#define MSR_X2APIC_SPURIOUS	0x80f
#define MSR_X2APIC_ICR		0x830
#define MSR_X2APIC_LINT0	0x835
#define APIC_ENABLED		0x1ff
#define ICR_ALL_BUT_SELF_INIT	0xc4500
#define ICR_ALL_BUT_SELF_SIPI	0xc4600		/* of vector 0: no CPU goes there */
#define CPUID_X2APIC		BIT(21)	/* leaf 1, ecx */

/*
 * KVM lets the other vCPUs run once they got INIT and SIPI; the layer enters them at the
 * reset vector, and start.S sends them to wait.
 */
static void start_others(void)
{
	wrmsr(MSR_APIC_BASE, MSR_APIC_BASE_X2APIC);
	wrmsr(MSR_X2APIC_SPURIOUS, APIC_ENABLED);
	wrmsr(MSR_X2APIC_LINT0, LVT_EXTINT);
	wrmsr(MSR_X2APIC_ICR, ICR_ALL_BUT_SELF_INIT);
	wrmsr(MSR_X2APIC_ICR, ICR_ALL_BUT_SELF_SIPI);
}

/**
 * processors_prepare() - all that the other processors need while they wait
 * Before the layer lets any of them run.  Their page tables are a copy of the firmware's,
 * which the kernel overwrites.
 */
void processors_prepare(void)
{
	u64 *tables = (u64 *)(u64)FW_AP_TABLES;
	const u64 moved = FW_AP_TABLES - FW_PAGE_TABLES;
	unsigned int i;

	memset((void *)(u64)FW_MAILBOX, 0, PAGE_SIZE);
	memcpy(tables, (void *)(u64)FW_PAGE_TABLES, FW_MAILBOX - FW_AP_TABLES);
	tables[0] += moved;
	for (i = 0; i < 4; i++)
		tables[512 + i] += moved;
}

/**
 * processor_set_up() - leave the processor as a kernel expects it from firmware
 * @ghci: with x2APIC, which takes no MMIO, and with the other processors started
 *
 * A PC's firmware leaves all memory write-back (Linux would go without PAT
 * otherwise), and the 8259's interrupts wired through the local APIC.  A local
 * APIC that is switched off does that as well, and takes no MMIO, which is dear
 * in a protected VM; Linux runs without it (nolapic).  Emulators that are not
 * KVM heed LINT0 even then: without a layer MMIO costs nothing, so set it too.
 */
void processor_set_up(bool ghci)
{
	u32 eax = 1, ebx, ecx = 0, edx;

	__asm__ __volatile__("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	if (edx & CPUID_MTRR)
		wrmsr(MSR_MTRR_DEF_TYPE, MTRR_ENABLED_WB);
	if (ghci) {
		if (!(ecx & CPUID_X2APIC))
			fail("processor", "no x2APIC");
		start_others();
		return;
	}
	if (!(edx & CPUID_APIC))
		return;
	if (!layer_present())
		*(volatile u32 *)APIC_LVT_LINT0 = LVT_EXTINT;
	wrmsr(MSR_APIC_BASE, APIC_BASE_OFF);
}
