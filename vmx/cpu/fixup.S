/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MSR and XCR0 accesses that the processor may refuse.  root_exception() moves
 * a #GP at the instruction to msr_fault.
 */
	.globl	rdmsr_safe, wrmsr_safe, xsetbv_safe
	.globl	rdmsr_insn, wrmsr_insn, xsetbv_insn, msr_fault
rdmsr_safe:
	mov	%rsi, %r8
	mov	%edi, %ecx
rdmsr_insn:
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, (%r8)
	xor	%eax, %eax
	ret
wrmsr_safe:
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
wrmsr_insn:
	wrmsr
	xor	%eax, %eax
	ret
xsetbv_safe:
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
xsetbv_insn:
	xsetbv
	xor	%eax, %eax
	ret
msr_fault:
	mov	$-5, %eax			/* -UP_EIO */
	ret

	.section .note.GNU-stack, "", @progbits
