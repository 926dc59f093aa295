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
/* Linux's callee-saved registers, as they were at up_enter().  @cpu may be %rbx. */
.macro load_launch_regs cpu
	mov	PERCPU_LAUNCH_REGS + 8(\cpu), %rbp
	mov	PERCPU_LAUNCH_REGS + 16(\cpu), %r12
	mov	PERCPU_LAUNCH_REGS + 24(\cpu), %r13
	mov	PERCPU_LAUNCH_REGS + 32(\cpu), %r14
	mov	PERCPU_LAUNCH_REGS + 40(\cpu), %r15
	mov	PERCPU_LAUNCH_REGS + 0(\cpu), %rbx
.endm

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

	mov	%rdi, %rsi
	mov	%rdx, %rdi
	mov	%rdx, %rbx
	lea	-UP_CPU_DATA_OFF + UP_CPU_STACK_OFF + UP_CPU_STACK_SIZE(%rdx), %rsp
	call	launch_cpu			/* comes back on failure only */

	mov	PERCPU_LAUNCH_REGS + 56(%rbx), %rsp
	push	PERCPU_LAUNCH_REGS + 48(%rbx)
	popfq
	load_launch_regs %rbx
	ret

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
	load_launch_regs %rdi
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
