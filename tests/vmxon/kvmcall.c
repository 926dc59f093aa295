// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel that takes what is beneath it for KVM: makes the hypercall "number" when it is
 * loaded.  It never stays: -EOPNOTSUPP when the call is an invalid opcode, else -EEXIST.
 */
#include <linux/module.h>
#include <asm/asm.h>

static unsigned long number = 5;	/* KICK_CPU */
module_param(number, ulong, 0444);

static int __init kvmcall_init(void)
{
	long ret = number;
	int err = -EEXIST;

	asm volatile("1: vmcall\n"
		     "jmp 3f\n"
		     "2: mov %[undefined], %[err]\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+a"(ret), [err] "+r"(err)
		     : [undefined] "i"(-EOPNOTSUPP), "b"(0L), "c"(0L) : "memory");
	return err;
}

module_init(kvmcall_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes a hypercall of KVM's");
