/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the reset vector to 64-bit C, the exception entries, the hypercall
 * instruction and the jump into the kernel.
 *
 * Control registers and EFER are set to constants, never to what was read: a
 * reading may be the host's word.
 *
 * The ROM is never written, not even by the processor: every descriptor in it
 * has its accessed bit set already.  A write would be emulated by the host.
 */
#include "layout.h"

#define CR0_PROTECTED	0x00000031	/* NE, ET, PE; CD and NW, which reset sets, off */
#define CR0_PAGED	0x80000031	/* and PG */
#define CR4_PAE		0x20
#define MSR_EFER	0xc0000080
#define EFER_LME	0x100
#define CPUID_LM	29		/* leaf 0x80000001, edx */
#define COM1		0x3f8

#define EFER_NXE	0x800
#define MSR_APIC_BASE	0x1b
#define X2APIC		0xfee00c00	/* enabled; not the first processor */
#define MAILBOX_ID	4		/* ACPI 6.4, 5.2.12.19 */
#define MAILBOX_VECTOR	8
#define MAILBOX_WAKE	1

#define PTE_TABLE	0x03		/* present, writable */
#define PTE_2M		0x83

	.section .reset, "ax"
	.code16
	.globl	reset_vector
reset_vector:
	jmp	start16
	.org	reset_vector + 16, 0

	.section .rom, "ax"
	.code16
start16:
	cld
	lidtl	%cs:rom_no_idt - FW_ROM	/* until C has one, an NMI resets */
	lgdtl	%cs:rom_gdtr - FW_ROM
	movl	$CR0_PROTECTED, %eax
	movl	%eax, %cr0
	ljmpl	$FW_CS32, $start32

	.code32
start32:
	movl	$FW_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$FW_STACK_TOP, %esp
	testl	%esi, %esi		/* the layer's word: which vCPU this is */
	jnz	other32

	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	btl	$CPUID_LM, %edx
	jnc	no_long_mode

	/* The image to RAM; RAM need not be zero after a warm reset. */
	movl	$FW_ROM, %esi
	movl	$FW_IMAGE, %edi
	movl	$__image_dwords, %ecx
	rep	movsl
	movl	$__bss_dwords, %ecx
	xorl	%eax, %eax
	rep	stosl

	/* Identity map of 4 GiB with 2 MiB pages. */
	movl	$FW_PAGE_TABLES, %edi
	movl	$(6 * 4096 / 4), %ecx
	rep	stosl
	movl	$(FW_PAGE_TABLES + 0x1000 + PTE_TABLE), FW_PAGE_TABLES
	movl	$(FW_PAGE_TABLES + 0x2000 + PTE_TABLE), FW_PAGE_TABLES + 0x1000
	movl	$(FW_PAGE_TABLES + 0x3000 + PTE_TABLE), FW_PAGE_TABLES + 0x1008
	movl	$(FW_PAGE_TABLES + 0x4000 + PTE_TABLE), FW_PAGE_TABLES + 0x1010
	movl	$(FW_PAGE_TABLES + 0x5000 + PTE_TABLE), FW_PAGE_TABLES + 0x1018
	movl	$PTE_2M, %eax
	movl	$(FW_PAGE_TABLES + 0x2000), %edi
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b

	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$FW_PAGE_TABLES, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$EFER_LME, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_PAGED, %eax
	movl	%eax, %cr0
	ljmp	$FW_CS, $start64

/*
 * Another processor, in a guest of the GHCI: it waits at ACPI's mailbox, and uses no memory
 * that the kernel takes.  With EFER.NXE, since it enters the kernel's page tables before
 * the kernel can set that.
 */
other32:
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$FW_AP_TABLES, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	$(EFER_LME | EFER_NXE), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$CR0_PAGED, %eax
	movl	%eax, %cr0
	ljmp	$FW_CS, $other64
	.code64
other64:
	movl	$MSR_APIC_BASE, %ecx
	movl	$X2APIC, %eax
	wrmsr
	movl	$FW_MAILBOX, %edi
1:	pause
	cmpw	$MAILBOX_WAKE, (%rdi)
	jne	1b
	cmpl	%esi, MAILBOX_ID(%rdi)
	jne	1b
	movq	MAILBOX_VECTOR(%rdi), %rax
	movw	$0, (%rdi)		/* the mailbox is free again */
	jmp	*%rax
	.code32

no_long_mode:
	movl	$no_long_mode_text, %esi
	movl	$COM1, %edx
1:	movb	(%esi), %al
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	incl	%esi
	jmp	1b
2:	ud2			/* with an empty IDT: a triple fault, which resets */

	.balign 8
rom_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* FW_CS32 */
	.quad	0x00af9b000000ffff	/* FW_CS */
	.quad	0x00cf93000000ffff	/* FW_DS */
rom_gdtr:
	.word	. - rom_gdt - 1
	.long	rom_gdt
rom_no_idt:
	.word	0
	.long	0
no_long_mode_text:
	.asciz	"underpin-fw: FAILED: processor: no long mode\r\n"

	.section .text.start, "ax"
	.code64
start64:
	movl	$FW_STACK_TOP, %esp
	lgdt	gdtr
	movl	$FW_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	xorl	%ebp, %ebp
	call	fw_main
	ud2

/*
 * s64 guest_call(u64 op, u64 rbx, u64 rcx, u64 *rbx_out)
 *
 * Without a layer, and without a hypervisor that takes VMCALL, the instruction
 * raises #UD: trap() then continues behind it with rax = -UP_ENOSYS.
 */
	.text
	.globl	guest_call, guest_call_insn
guest_call:
	pushq	%rbx
	pushq	%rcx
	movq	%rdi, %rax
	movq	%rsi, %rbx
	movq	%rdx, %rcx
	xorl	%edx, %edx
	xorl	%esi, %esi
guest_call_insn:
	vmcall
	popq	%rcx
	movq	%rbx, (%rcx)
	popq	%rbx
	ret

/* void enter_kernel(u64 entry, void *boot_params): Documentation/x86/boot.rst, 64-bit */
	.globl	enter_kernel
enter_kernel:
	movq	%rdi, %rax
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	xorl	%edi, %edi
	jmp	*%rax

/* void triple_fault(void): the reset of last resort */
	.globl	triple_fault
triple_fault:
	lidt	no_idt
	ud2
	jmp	triple_fault

/*
 * Exception entries, 16 bytes each; those without an error code push a zero, so
 * that all frames are struct trap.
 */
	.balign 16
	.globl	trap_entries
trap_entries:
	vector = 0
	.rept	32
	.balign	16
	.if	!((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || \
		  (vector == 21) || (vector == 29) || (vector == 30))
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	vector = vector + 1
	.endr

trap_common:
	pushq	%r11
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	cld
	movq	%rsp, %rdi
	call	trap
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	popq	%r8
	popq	%r9
	popq	%r10
	popq	%r11
	addq	$16, %rsp
	iretq

	.data
	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
gdtr:
	.word	. - gdt - 1
	.quad	gdt
no_idt:
	.word	0
	.quad	0

	.section .note.GNU-stack, "", @progbits
