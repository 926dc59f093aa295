// SPDX-License-Identifier: GPL-2.0
/*
 * Another hypervisor that uses VMX, as far as a host can tell: on CPU number "cpu" it
 * enters VMX operation when it is loaded, and leaves it when it is removed.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "ioctl/call.h"

static unsigned int cpu;
module_param(cpu, uint, 0444);

/* What the host side hears when it calls the layer on such a CPU, and there is none. */
static long answer;
module_param(answer, long, 0444);

static u32 *region;

static void enter(void *err)
{
	u64 pa = virt_to_phys(region), basic;
	bool cf, zf;

	rdmsrl(MSR_IA32_VMX_BASIC, basic);
	*region = (u32)basic;
	cr4_set_bits_irqsoff(X86_CR4_VMXE);
	asm volatile("vmxon %2" : "=@ccc"(cf), "=@ccz"(zf) : "m"(pa) : "memory");
	if (!cf && !zf) {
		answer = up_vmcall(UP_CALL_FLUSH, 0, 0, 0, NULL, NULL);
		return;
	}
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
	*(int *)err = -EIO;
}

static void leave(void *unused)
{
	asm volatile("vmxoff");
	cr4_clear_bits_irqsoff(X86_CR4_VMXE);
}

static int __init vmxon_init(void)
{
	int err = 0, unreached;

	region = (u32 *)get_zeroed_page(GFP_KERNEL);
	if (!region)
		return -ENOMEM;
	unreached = smp_call_function_single(cpu, enter, &err, 1);
	err = unreached ?: err;
	if (err)
		free_page((unsigned long)region);
	return err;
}

static void __exit vmxon_exit(void)
{
	smp_call_function_single(cpu, leave, NULL, 1);
	free_page((unsigned long)region);
}

module_init(vmxon_init);
module_exit(vmxon_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Keeps one CPU in VMX operation");
