/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest of tests/guest/ops.c: an operation a label, begun there in 64-bit mode with
 * interrupts off and the number of operations in R12.  R13 counts the interrupts that are
 * waited for.  The code runs at OPS_CODE, not where it is linked: no absolute references.
 */
#include "ops.h"

#define X2APIC_ENABLED	0x1ff
#define X2APIC_SVR	0x80f
#define X2APIC_EOI	0x80b
#define X2APIC_ICR	0x830
#define X2APIC_LVTT	0x832
#define TSC_DEADLINE	0x6e0
#define TSC_ADJUST	0x3b
#define LVTT_DEADLINE	0x40000
#define ICR_SELF	0x40000
#define CR0_WP		0x10000
#define ELCR		0x4d0	/* KVM's own PIC answers it */
#define OPCODE_HLT	0xf4
#define VAPIC_POLL	1	/* a hypercall that does nothing */

	.section .rodata
	.globl ops_begin, ops_end, ops_stubs, ops_on_fault, ops_on_interrupt
	.p2align 4
ops_begin:

.macro operation name
	.globl ops_\name
ops_\name:
.endm

.macro now to
	rdtsc
	shl	$32, %rdx
	or	%rax, %rdx
	mov	%rdx, \to
.endm

/* timed ... end_timed: the loop's ticks are R15 at its end less R15 at its start. */
.macro timed
	now	%r15
1:
.endm

.macro end_timed
	dec	%r12
	jnz	1b
	now	%rdx
	sub	%r15, %rdx
	mov	%rdx, OPS_TICKS
	out	%al, $OPS_PORT_DONE
.endm

/* summed ... end_summed: each operation adds its own to R15. */
.macro summed
	xor	%r15d, %r15d
1:
.endm

.macro end_summed
	dec	%r12
	jnz	1b
	mov	%r15, OPS_TICKS
	out	%al, $OPS_PORT_DONE
.endm

.macro set_msr msr, low, high=0
	mov	$\msr, %ecx
	mov	$\low, %eax
	mov	$\high, %edx
	wrmsr
.endm

.macro apic_on
	set_msr	X2APIC_SVR, X2APIC_ENABLED
	xor	%r13d, %r13d
.endm

.macro interrupt_came
	inc	%r13
2:	cmp	%r13, OPS_COUNT
	jne	2b
.endm

operation nothing
	timed
	mov	$1000, %ecx
2:	dec	%ecx
	jnz	2b
	end_timed

operation vmcall
	timed
	mov	$VAPIC_POLL, %eax
	vmcall
	end_timed

operation port_kernel
	timed
	mov	$ELCR, %edx
	in	%dx, %al
	end_timed

operation port_user
	timed
	in	$OPS_PORT, %al
	end_timed

operation msr
	mov	$TSC_ADJUST, %r14d
	timed
	mov	%r14d, %ecx
	rdmsr
	end_timed

operation cr0_wp
	mov	%cr0, %rbx
	timed
	xor	$CR0_WP, %rbx
	mov	%rbx, %cr0
	xor	$CR0_WP, %rbx
	mov	%rbx, %cr0
	end_timed

operation mmio_user
	timed
	mov	OPS_MMIO, %eax
	end_timed

operation mmio_eventfd
	timed
	mov	%eax, OPS_EVENTFD
	end_timed

/* #PF, whose handler makes the page present; then it is not, as before. */
operation fault
	mov	$OPS_FAULT, %ebx
	timed
	movb	$1, (%rbx)
	andb	$~1, OPS_PT
	invlpg	(%rbx)
	end_timed

operation cr3
	mov	%cr3, %rbx
	timed
	xor	$0x1000, %rbx
	mov	%rbx, %cr3
	end_timed

operation eoi
	apic_on
	timed
	set_msr	X2APIC_EOI, 0
	end_timed

operation self_ipi
	apic_on
	timed
	cli
	set_msr	X2APIC_ICR, ICR_SELF | OPS_VECTOR
	sti
	nop
	interrupt_came
	end_timed

operation self_ipi_hlt
	apic_on
	timed
	cli
	set_msr	X2APIC_ICR, ICR_SELF | OPS_VECTOR
	sti
	hlt
	interrupt_came
	end_timed

/* A deadline that has passed when it is set. */
operation timer
	apic_on
	set_msr	X2APIC_LVTT, LVTT_DEADLINE | OPS_VECTOR
	sti
	timed
	mov	$TSC_DEADLINE, %ecx
	rdtsc
	wrmsr
	interrupt_came
	end_timed

/* Asleep until a deadline: what passes between it and the instruction after HLT. */
operation hlt
	apic_on
	set_msr	X2APIC_LVTT, LVTT_DEADLINE | OPS_VECTOR
	summed
	inc	%r13
	now	%rbx
	add	OPS_PAUSE, %rbx
	mov	$TSC_DEADLINE, %ecx
	mov	%ebx, %eax
	mov	%rbx, %rdx
	shr	$32, %rdx
	wrmsr
2:	sti
	hlt
	cli
	cmp	%r13, OPS_COUNT
	jne	2b
	now	%r14
	sub	%rbx, %r14
	add	%r14, %r15
	end_summed

.macro other_ready
3:	cmpb	$0, OPS_READY
	je	3b
.endm

operation ipi
	apic_on
	other_ready
	timed
	set_msr	X2APIC_ICR, OPS_VECTOR, 1
	interrupt_came
	end_timed

/* The other vCPU is given the time to fall asleep first. */
operation ipi_hlt
	apic_on
	other_ready
	summed
	now	%rbx
	add	OPS_PAUSE, %rbx
2:	now	%r14
	cmp	%rbx, %r14
	jb	2b
	set_msr	X2APIC_ICR, OPS_VECTOR, 1
	interrupt_came
	now	%rdx
	sub	%r14, %rdx
	add	%rdx, %r15
	end_summed

/* The second vCPU. */
operation other_runs
	apic_on
	sti
	movb	$1, OPS_READY
1:	jmp	1b

operation other_sleeps
	apic_on
	sti
	movb	$1, OPS_READY
1:	hlt
	jmp	1b

/* An emulator may lose STI's shadow: a HLT before which its interrupt came is stepped over. */
ops_on_interrupt:
	push	%rax
	push	%rcx
	push	%rdx
	incq	OPS_COUNT
	mov	24(%rsp), %rax
	cmpb	$OPCODE_HLT, (%rax)
	jne	1f
	incq	24(%rsp)
1:
	set_msr	X2APIC_EOI, 0
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq

ops_on_fault:
	testb	$1, OPS_PT
	jnz	3f
	incq	OPS_COUNT
	orb	$1, OPS_PT
	add	$8, %rsp
	iretq
3:	push	$14
	jmp	saw

saw:
	popq	OPS_SAW
	popq	OPS_SAW + 8
	popq	OPS_SAW + 16
	out	%al, $OPS_PORT_SAW

	.p2align 4
ops_stubs:
	.set	vector, 0
	.rept	32
	.p2align 4
	push	$vector
	jmp	saw
	.set	vector, vector + 1
	.endr
ops_end:
	.section .note.GNU-stack, "", @progbits
