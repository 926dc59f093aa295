/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unsigned long attack_enter(u64 *gpr, unsigned long launch)
 *
 * Loads gpr[] (but rsp), enters the VM of the current VMCS, and stores gpr[] as
 * it is after the exit, or after an entry that failed.
 */
#include <linux/linkage.h>

#define HOST_RSP	0x6c14
#define HOST_RIP	0x6c16

	.text
SYM_FUNC_START(attack_enter)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	$HOST_RSP, %eax
	vmwrite	%rsp, %rax
	lea	.Lexit(%rip), %rcx
	mov	$HOST_RIP, %eax
	vmwrite	%rcx, %rax
	test	%esi, %esi
	mov	0(%rdi), %rax
	mov	8(%rdi), %rcx
	mov	16(%rdi), %rdx
	mov	24(%rdi), %rbx
	mov	40(%rdi), %rbp
	mov	48(%rdi), %rsi
	mov	64(%rdi), %r8
	mov	72(%rdi), %r9
	mov	80(%rdi), %r10
	mov	88(%rdi), %r11
	mov	96(%rdi), %r12
	mov	104(%rdi), %r13
	mov	112(%rdi), %r14
	mov	120(%rdi), %r15
	mov	56(%rdi), %rdi
	jnz	.Llaunch
	vmresume
	jmp	.Lfailed
.Llaunch:
	vmlaunch
.Lfailed:
	push	$1
	jmp	.Lstore
.Lexit:
	push	$0
.Lstore:
	push	%rdi
	mov	16(%rsp), %rdi
	mov	%rax, 0(%rdi)
	mov	%rcx, 8(%rdi)
	mov	%rdx, 16(%rdi)
	mov	%rbx, 24(%rdi)
	mov	%rbp, 40(%rdi)
	mov	%rsi, 48(%rdi)
	mov	%r8, 64(%rdi)
	mov	%r9, 72(%rdi)
	mov	%r10, 80(%rdi)
	mov	%r11, 88(%rdi)
	mov	%r12, 96(%rdi)
	mov	%r13, 104(%rdi)
	mov	%r14, 112(%rdi)
	mov	%r15, 120(%rdi)
	pop	56(%rdi)
	pop	%rax
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(attack_enter)
