/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Short pieces of code to step through, by user space and by the kernel: instructions
 * that exit from VMX non-root mode, and their neighbours.  Each begins with ENDBR64 and
 * ends with RET; it changes what registers it likes, and no stack.  What it leaves in
 * RAX is the same on every run.
 */
#define CR4_VMXE	0x2000
#define CR0_NE		0x20
#define PORT_RESET	0xcf9
#define PORT_PCI	0xcf8
#define MSR_DEF_TYPE	0x2ff
#define FIELD_GUEST_RIP	0x681e
#define FIELD_NONE	0x7ffe

.macro case name
	.text
	.balign	16
code_\name:
	endbr64
.endm

.macro endcase name
end_\name:
	ret
	.section .rodata
name_\name:
	.asciz	"\name"
	.section .data
	.quad	name_\name, code_\name, end_\name
.endm

	.section .data
	.balign	8
	.globl	step_cases, step_cases_end, step_vmx_pa
step_vmx_pa:
	.quad	0, 0
value:
	.quad	0, 0
step_cases:

/* --- at every privilege level --- */

case nop
	nop
	nop
	xor	%eax, %eax
endcase nop

case cpuid
	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	nop
	nop
endcase cpuid

case cpuid_twice
	mov	$7, %eax
	xor	%ecx, %ecx
	cpuid
	cpuid
	cpuid
	xor	%eax, %eax
endcase cpuid_twice

case cpuid_jump
	mov	$2, %edi
1:	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	dec	%edi
	jnz	1b
endcase cpuid_jump

case rdtsc
	rdtsc
	rdtscp
	xor	%eax, %eax
endcase rdtsc

case xgetbv
	xor	%ecx, %ecx
	xgetbv
endcase xgetbv

case mov_ss_nop
	mov	%ss, %ecx
	mov	%ecx, %ss
	nop
	xor	%eax, %eax
endcase mov_ss_nop

case mov_ss_cpuid
	xor	%eax, %eax
	mov	%ss, %ecx
	mov	%ecx, %ss
	cpuid
	nop
endcase mov_ss_cpuid

case in_keyboard
	in	$0x64, %al
	in	$0x64, %al
	nop
	xor	%eax, %eax
endcase in_keyboard

case in_free
	in	$0x80, %al
	nop
	xor	%eax, %eax
endcase in_free

case in_out_reset
	mov	$PORT_RESET, %edx
	xor	%eax, %eax
	in	%dx, %al
	out	%al, %dx
	in	%dx, %al
	out	%al, %dx
endcase in_out_reset

case mov_ss_in
	mov	$PORT_RESET, %edx
	xor	%eax, %eax
	mov	%ss, %ecx
	mov	%ecx, %ss
	in	%dx, %al
	nop
endcase mov_ss_in

case ins_outs
	mov	$PORT_RESET, %edx
	movl	$0x55555555, value(%rip)
	lea	value(%rip), %rdi
	insb
	lea	value(%rip), %rsi
	outsb
	mov	value(%rip), %eax
endcase ins_outs

case rep_ins
	mov	$PORT_RESET, %edx
	movq	$-1, value(%rip)
	lea	value+6(%rip), %rdi
	mov	$3, %ecx
	std
	rep insb
	cld
	mov	value(%rip), %rax
endcase rep_ins

/* The address of PCI configuration, whose double word the reset port lies in. */
case outs_ins_pci
	mov	$PORT_PCI, %edx
	movl	$0x80000008, value(%rip)
	lea	value(%rip), %rsi
	outsl
	movl	$0, value(%rip)
	lea	value(%rip), %rdi
	insl
	mov	value(%rip), %eax
endcase outs_ins_pci

#ifndef __KERNEL__

/* --- at level 3: mostly faults --- */

/* The third byte has no page. */
case rep_ins_fault
	mov	$PORT_RESET, %edx
	lea	step_guard+4094(%rip), %rdi
	mov	$5, %ecx
	rep insb
	nop
endcase rep_ins_fault

case outs_fault
	mov	$PORT_RESET, %edx
	lea	step_guard+4096(%rip), %rsi
	outsb
	nop
endcase outs_fault

case vmcall
	vmcall
	nop
endcase vmcall

case vmread
	mov	$FIELD_GUEST_RIP, %eax
	vmread	%rax, %rcx
	nop
endcase vmread

case rdmsr
	mov	$MSR_DEF_TYPE, %ecx
	rdmsr
	nop
endcase rdmsr

case xsetbv
	xor	%ecx, %ecx
	xgetbv
	xsetbv
	nop
endcase xsetbv

#else

/* --- at level 0, in this order: VMXON to VMXOFF --- */

case rdmsr
	mov	$MSR_DEF_TYPE, %ecx
	rdmsr
	rdmsr
	nop
endcase rdmsr

case wrmsr
	mov	$MSR_DEF_TYPE, %ecx
	rdmsr
	wrmsr
	nop
endcase wrmsr

case xsetbv
	xor	%ecx, %ecx
	xgetbv
	xsetbv
	nop
endcase xsetbv

case mov_ss_xsetbv
	xor	%ecx, %ecx
	xgetbv
	mov	%ss, %esi
	mov	%esi, %ss
	xsetbv
	nop
endcase mov_ss_xsetbv

case mov_cr0
	mov	%cr0, %rcx
	mov	%rcx, %rdx
	xor	$CR0_NE, %rdx
	mov	%rdx, %cr0
	mov	%rcx, %cr0
	xor	%eax, %eax
endcase mov_cr0

case mov_cr4
	mov	%cr4, %rcx
	mov	%rcx, %rdx
	xor	$CR4_VMXE, %rdx
	mov	%rdx, %cr4
	mov	%rcx, %cr4
	xor	%eax, %eax
endcase mov_cr4

case vmxoff_outside
	vmxoff
	nop
	xor	%eax, %eax
endcase vmxoff_outside

case vmxon
	mov	%cr4, %rax
	or	$CR4_VMXE, %rax
	mov	%rax, %cr4
	vmxon	step_vmx_pa(%rip)
	vmxon	step_vmx_pa(%rip)
	xor	%eax, %eax
endcase vmxon

case vmptrld
	vmclear	step_vmx_pa+8(%rip)
	vmptrld	step_vmx_pa+8(%rip)
	vmptrst	value(%rip)
	vmptrld	step_vmx_pa(%rip)
	xor	%eax, %eax
endcase vmptrld

case vmwrite_vmread
	mov	$FIELD_GUEST_RIP, %ecx
	mov	$0x1234, %edx
	vmwrite	%rdx, %rcx
	vmread	%rcx, %rax
	vmwrite	value(%rip), %rcx
	vmread	%rcx, value+8(%rip)
	nop
endcase vmwrite_vmread

case vmread_none
	mov	$FIELD_NONE, %ecx
	vmread	%rcx, %rdx
	nop
	mov	$0x4400, %ecx		/* the VM-instruction error */
	vmread	%rcx, %rax
endcase vmread_none

case mov_ss_vmread
	mov	$FIELD_GUEST_RIP, %ecx
	mov	%ss, %edx
	mov	%edx, %ss
	vmread	%rcx, %rdx
	nop
	xor	%eax, %eax
endcase mov_ss_vmread

case invept
	movq	$0, value(%rip)
	movq	$0, value+8(%rip)
	mov	$2, %ecx
	invept	value(%rip), %rcx
	invvpid	value(%rip), %rcx
	mov	$9, %ecx
	invept	value(%rip), %rcx
	xor	%eax, %eax
endcase invept

case vmlaunch
	vmresume
	vmlaunch
	xor	%eax, %eax
endcase vmlaunch

case vmxoff
	vmclear	step_vmx_pa+8(%rip)
	vmxoff
	mov	%cr4, %rax
	and	$~CR4_VMXE, %rax
	mov	%rax, %cr4
	xor	%eax, %eax
endcase vmxoff

#endif

	.section .data
step_cases_end:
#ifndef __KERNEL__
	.balign	4096
	.globl	step_guard
step_guard:
	.fill	2 * 4096
#endif

	.text
#ifndef __KERNEL__
/*
 * void step_wrap(u32 code) - goes to 32-bit code at an address below 4 GiB
 *
 * Comes back when a signal handler goes on at step_wrap_back, in 64-bit code.
 */
#define USER32_CS	0x23
	.globl	step_wrap, step_wrap_back
step_wrap:
	push	%rbx
	mov	%rsp, value(%rip)
	xor	%eax, %eax
	xor	%ecx, %ecx
	pushq	$USER32_CS
	push	%rdi
	lretq
step_wrap_back:
	mov	value(%rip), %rsp
	pop	%rbx
	ret
#endif

	.globl	step_run
step_run:
	push	%rbx
	push	%rbp
	push	%r12
	mov	%rdi, %rbp
	xor	%eax, %eax
	xor	%ecx, %ecx
	pushfq
	mov	(%rsp), %r12
	or	%rsi, (%rsp)
	popfq
	call	*%rbp
	push	%r12
	popfq
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
