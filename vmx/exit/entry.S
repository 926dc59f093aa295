/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where hardware enters the root image once a CPU is demoted: VM exits, NMIs
 * and exceptions.
 */
#define __ASSEMBLER__ 1
#include "vmx/abi/image.h"
#include "vmx/base/offsets.h"

	.text
/*
 * VM exit.  GS base is this CPU's struct percpu, RSP the top of its stack;
 * every other register but RSP is still the guest's.
 */
	.globl	vmexit_entry
vmexit_entry:
	mov	%rax, %gs:PERCPU_GPR(0)
	mov	%rcx, %gs:PERCPU_GPR(1)
	mov	%rdx, %gs:PERCPU_GPR(2)
	mov	%rbx, %gs:PERCPU_GPR(3)
	mov	%rbp, %gs:PERCPU_GPR(5)
	mov	%rsi, %gs:PERCPU_GPR(6)
	mov	%rdi, %gs:PERCPU_GPR(7)
	mov	%r8, %gs:PERCPU_GPR(8)
	mov	%r9, %gs:PERCPU_GPR(9)
	mov	%r10, %gs:PERCPU_GPR(10)
	mov	%r11, %gs:PERCPU_GPR(11)
	mov	%r12, %gs:PERCPU_GPR(12)
	mov	%r13, %gs:PERCPU_GPR(13)
	mov	%r14, %gs:PERCPU_GPR(14)
	mov	%r15, %gs:PERCPU_GPR(15)
	mov	%gs:PERCPU_SELF, %rdi
	call	vm_exit

	/*
	 * An NMI between this check and the VM entry would be lost: nmi_entry
	 * moves an interrupted RIP in [reenter, reenter_end) back to reenter.
	 * Nothing in between changes what the repetition needs.
	 */
	.globl	reenter, reenter_end
reenter:
	mov	%gs:PERCPU_SELF, %rdi
	cmpl	$0, PERCPU_NMI_PENDING(%rdi)
	jne	3f
	mov	PERCPU_GPR(0)(%rdi), %rax
	mov	PERCPU_GPR(1)(%rdi), %rcx
	mov	PERCPU_GPR(2)(%rdi), %rdx
	mov	PERCPU_GPR(3)(%rdi), %rbx
	mov	PERCPU_GPR(5)(%rdi), %rbp
	mov	PERCPU_GPR(6)(%rdi), %rsi
	mov	PERCPU_GPR(8)(%rdi), %r8
	mov	PERCPU_GPR(9)(%rdi), %r9
	mov	PERCPU_GPR(10)(%rdi), %r10
	mov	PERCPU_GPR(11)(%rdi), %r11
	mov	PERCPU_GPR(12)(%rdi), %r12
	mov	PERCPU_GPR(13)(%rdi), %r13
	mov	PERCPU_GPR(14)(%rdi), %r14
	mov	PERCPU_GPR(15)(%rdi), %r15
	cmpl	$0, PERCPU_RESUME_LAUNCH(%rdi)
	mov	PERCPU_GPR(7)(%rdi), %rdi
	jne	1f
	vmresume
	jmp	2f
1:	vmlaunch
reenter_end:
2:	mov	%gs:PERCPU_SELF, %rdi
	call	vm_entry_failed
	jmp	reenter
3:	call	vm_nmi
	jmp	reenter

/*
 * NMI in root mode: note it; the way out delivers it (no stack switch needed).  While a
 * CPU is launched GS base may still be Linux's: the area is found by its stack.
 */
	.globl	nmi_entry
nmi_entry:
	endbr64					/* Linux's CET may still be on, or on again */
	push	%rax
	push	%rdx
	mov	16(%rsp), %rax			/* interrupted RIP */
	lea	reenter(%rip), %rdx
	cmp	%rdx, %rax
	jb	1f
	lea	reenter_end(%rip), %rax
	cmp	%rax, 16(%rsp)
	jae	1f
	mov	%rdx, 16(%rsp)
1:	mov	%rsp, %rax
	and	$-UP_CPU_STRIDE, %rax
	movl	$1, UP_CPU_DATA_OFF + PERCPU_NMI_PENDING(%rax)
	pop	%rdx
	pop	%rax
	iretq

/* Exceptions: a table of stubs, 16 bytes each; error code pushed or made up. */
	.balign	16
	.globl	exception_stubs
exception_stubs:
	vector = 0
	.rept	32
	.balign	16
	/* #DF #TS #NP #SS #GP #PF #AC #CP push an error code (SDM vol. 3, 6.15) */
	.if	(0x227d00 >> vector) & 1
	.else
	push	$0
	.endif
	push	$vector
	jmp	exception_common
	vector = vector + 1
	.endr

exception_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	call	root_exception
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
