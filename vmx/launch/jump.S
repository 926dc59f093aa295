/* SPDX-License-Identifier: GPL-2.0 */
/* Where a CPU leaves root mode for Linux: the first VM entry, and the end. */
#include "vmx/base/offsets.h"

	.text
/*
 * int launch_first_entry(struct percpu *cpu) - VMLAUNCH VMCS01
 *
 * Linux goes on behind its call of up_enter() with rax = 0 and its own
 * callee-saved registers.  Comes back only when VMLAUNCH failed.
 */
	.globl	launch_first_entry
launch_first_entry:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	PERCPU_LAUNCH_REGS + 0(%rdi), %rbx
	mov	PERCPU_LAUNCH_REGS + 8(%rdi), %rbp
	mov	PERCPU_LAUNCH_REGS + 16(%rdi), %r12
	mov	PERCPU_LAUNCH_REGS + 24(%rdi), %r13
	mov	PERCPU_LAUNCH_REGS + 32(%rdi), %r14
	mov	PERCPU_LAUNCH_REGS + 40(%rdi), %r15
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	vmlaunch
	mov	$-1, %eax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/*
 * void leave_jump(struct leave_frame *f) - Linux's state is back, go there
 *
 * f: rip, rflags, rsp, then the GPRs in encoding order (RSP's place unused).
 * The frame lies in the CPU's area, which the current CR3 still maps.
 */
	.globl	leave_jump
leave_jump:
	mov	16(%rdi), %rsp
	push	0(%rdi)				/* return address: rip */
	push	8(%rdi)				/* rflags */
	mov	24 + 8 * 0(%rdi), %rax
	mov	24 + 8 * 1(%rdi), %rcx
	mov	24 + 8 * 2(%rdi), %rdx
	mov	24 + 8 * 3(%rdi), %rbx
	mov	24 + 8 * 5(%rdi), %rbp
	mov	24 + 8 * 6(%rdi), %rsi
	mov	24 + 8 * 8(%rdi), %r8
	mov	24 + 8 * 9(%rdi), %r9
	mov	24 + 8 * 10(%rdi), %r10
	mov	24 + 8 * 11(%rdi), %r11
	mov	24 + 8 * 12(%rdi), %r12
	mov	24 + 8 * 13(%rdi), %r13
	mov	24 + 8 * 14(%rdi), %r14
	mov	24 + 8 * 15(%rdi), %r15
	mov	24 + 8 * 7(%rdi), %rdi
	popfq
	ret

	.section .note.GNU-stack, "", @progbits
