// SPDX-License-Identifier: GPL-2.0
/*
 * Calls, indirectly, a place without ENDBR64 when it is loaded.  Where indirect branches
 * are tracked the kernel says "Missing ENDBR" and ends insmod; elsewhere insmod succeeds.
 */
#include <linux/module.h>

void stray_target(void);

asm(".pushsection .text\n\t"
	"stray_target:\n\t"
	"ret\n\t"
	"int3\n\t"
	".popsection\n");

static int __init stray_init(void)
{
	asm volatile("call *%0" : : "r"(stray_target) : "memory");
	return 0;
}

static void __exit stray_exit(void)
{
}

module_init(stray_init);
module_exit(stray_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("One indirect call of a place without ENDBR64");
