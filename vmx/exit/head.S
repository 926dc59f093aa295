/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The image's header and its only entry from Linux.
 */
#define __ASSEMBLER__ 1
#include "vmx/abi/image.h"
#include "vmx/base/offsets.h"

	.section .header, "ax"
	.quad	UP_IMAGE_MAGIC
	.long	2				/* UP_ABI_VERSION */
	.long	UP_CPU_DATA_SIZE
	.long	off_rodata
	.long	off_data
	.long	off_bss
	.long	off_end
	.long	off_entry
	.long	off_config

	.text
/*
 * long up_enter(struct up_entry_state *st) - demote the calling CPU
 *
 * Called by the host side in ring 0, interrupts off, with a CR3 that maps both
 * Linux and the root image.  Comes back twice as late: with rax = 0 in VMX
 * non-root mode, or with rax = -UP_E* and nothing changed but CR3, which is
 * still the one it was called with.
 */
	.globl	up_enter
up_enter:
	endbr64					/* Linux may track indirect calls (CET) */
	mov	(%rdi), %rax			/* st->cpu */
	imul	$UP_CPU_STRIDE, %rax, %rax
	movabs	$(UP_CPU_BASE + UP_CPU_DATA_OFF), %rdx
	add	%rax, %rdx			/* struct percpu */
	mov	%rbx, PERCPU_LAUNCH_REGS + 0(%rdx)
	mov	%rbp, PERCPU_LAUNCH_REGS + 8(%rdx)
	mov	%r12, PERCPU_LAUNCH_REGS + 16(%rdx)
	mov	%r13, PERCPU_LAUNCH_REGS + 24(%rdx)
	mov	%r14, PERCPU_LAUNCH_REGS + 32(%rdx)
	mov	%r15, PERCPU_LAUNCH_REGS + 40(%rdx)
	pushfq
	pop	PERCPU_LAUNCH_REGS + 48(%rdx)
	mov	%rsp, PERCPU_LAUNCH_REGS + 56(%rdx)

	/* The floors below do not know this one: tell them where hardware arrives. */
	lea	vmexit_entry(%rip), %rax
	mov	%rax, root_entries(%rip)
	lea	nmi_entry(%rip), %rax
	mov	%rax, root_entries + 8(%rip)
	lea	exception_stubs(%rip), %rax
	mov	%rax, root_entries + 16(%rip)

	mov	%rdi, %rsi
	mov	%rdx, %rdi
	mov	%rdx, %rbx
	lea	-UP_CPU_DATA_OFF + UP_CPU_STACK_OFF + UP_CPU_STACK_SIZE(%rdx), %rsp
	call	launch_cpu			/* comes back on failure only */

	mov	PERCPU_LAUNCH_REGS + 56(%rbx), %rsp
	push	PERCPU_LAUNCH_REGS + 48(%rbx)
	popfq
	mov	PERCPU_LAUNCH_REGS + 0(%rbx), %rbx
	ret

	.section .note.GNU-stack, "", @progbits
