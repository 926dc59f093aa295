/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tiny-fw.bin does as a guest of the GHCI (docs/guest.md), by commands from COM1.
 * Where no layer is beneath it does the same with the instruction that fits: a MOV for
 * MMIO, its own memory for memory that it shares.
 *
 *	g	speak the GHCI from here on: G, or R if refused
 *	m	read one byte of a device into a register that was zero: M and 8 digits, of the
 *		register's low half; Xl if more than the byte came
 *	d	write 500 times 2 bytes to a doorbell, read 500 times 4 bytes of a device:
 *		D and the ticks of one, 8 digits each
 *	s	share the page at 0x300000 and write "SHARED" there by its shared address: H
 *	p	read that page by its private address: K and 8 digits
 *	o	write the secret by the shared address of 0x380000, which is private: O
 *	v	and 16 letters a to p, a number to the base 16: ask to share that page: Y or L
 *	c	with the other vCPU: each round a page with the secret, which this one shares
 *		and that one takes back, at once: C
 *	t	from here on the TSC is watched: Xt if it runs backwards
 *	i	from here on CPUID is watched: Xi for another answer
 *	n	from here on interrupts are on while it waits, and counted: X8 for 0x80
 *	N	how many there were: I and 8 digits
 */
#include "layout.h"

#define UP_GUEST_GHCI	0x55500084	/* vmx/abi/calls.h */
#define UP_EAGAIN	11
#define UP_ENOSYS	38
#define KVM_ENOSYS	1000

#define VMCALL_MMIO	48
#define VMCALL_MAP_GPA	0x10001
#define VMCALL_REGS	0xfc00		/* r10 to r15 */
#define VP_INFO		1

#define COM1		0x3f8
#define COM1_LSR	0x3fd
#define LSR_READY	0x01
#define PORT_DELAY	0x80
#define SHARED_PAGE	0x300000
#define RACE_PAGE	0x310000
#define RACE_ROUNDS	16
#define SPARE_PAGE	0x380000
#define DEVICE		0x800000	/* no memory */
#define DOORBELL	0x800010
#define TURNS		500
#define SHARED_AT	0x100000000	/* where the shared addresses are mapped */
#define IDT_ENTRIES	256
#define PTE_TABLE	0x03
#define PTE_2M		0x83

/* Jump to \to for command \c. */
.macro on c, to
	cmpb	$\c, %al
	je	\to
.endm

	.text
	.globl	ghci_command
ghci_command:
	on	'g', begin
	on	'm', device_byte
	on	'd', device_times
	on	's', share_page
	on	'p', read_privately
	on	'o', write_shared
	on	'v', share_any
	on	'c', race
	on	't', watch_tsc
	on	'i', watch_cpuid
	on	'n', interrupts_on
	on	'N', interrupts_count
	ret

/*
 * TDG.VP.VMCALL of function rdi with arguments rsi, rdx, rcx, rbx (R11 to R15).
 * rax: its status; rdx: R11.  It keeps r8 to r15, but the stack holds them meanwhile.
 */
tdvmcall:
	.irp n, 10, 11, 12, 13, 14, 15
	pushq	%r\n
	.endr
	xorl	%r10d, %r10d
	movq	%rdi, %r11
	movq	%rsi, %r12
	movq	%rdx, %r13
	movq	%rcx, %r14
	movq	%rbx, %r15
	movl	$VMCALL_REGS, %ecx
	xorl	%eax, %eax
	.byte	0x66, 0x0f, 0x01, 0xcc
	movq	%r10, %rax
	movq	%r11, %rdx
	.irp n, 15, 14, 13, 12, 11, 10
	popq	%r\n
	.endr
	ret

/* MapGPA of the page at rsi.  rax: its status */
map_gpa:
	movl	$VMCALL_MAP_GPA, %edi
	movl	$4096, %edx
	xorl	%ecx, %ecx
	xorl	%ebx, %ebx
	jmp	tdvmcall

begin:
	call	prepare_other
1:	movl	$UP_GUEST_GHCI, %edi
	movl	$(FW_STUB / 4096), %esi
	xorl	%edx, %edx
	movl	$unused, %ecx
	call	guest_call
	outb	%al, $PORT_DELAY
	cmpq	$-UP_EAGAIN, %rax
	je	1b
	cmpq	$-UP_ENOSYS, %rax
	je	2f
	cmpq	$-KVM_ENOSYS, %rax
	je	2f
	testq	%rax, %rax
	movb	$'R', %al
	jnz	put
	movb	$1, ghci
	call	map_shared
2:	movb	$'G', %al
	jmp	put

/* Page tables and mailbox of the other vCPU, as module/guest/processor.c has them. */
prepare_other:
	cld
	movl	$FW_MAILBOX, %edi
	movl	$512, %ecx
	xorl	%eax, %eax
	rep	stosq
	movl	$FW_PAGE_TABLES, %esi
	movl	$FW_AP_TABLES, %edi
	movl	$(6 * 512), %ecx
	rep	movsq
	addq	$(FW_AP_TABLES - FW_PAGE_TABLES), FW_AP_TABLES
	.irp n, 0, 1, 2, 3
	addq	$(FW_AP_TABLES - FW_PAGE_TABLES), FW_AP_TABLES + 0x1000 + 8 * \n
	.endr
	ret

/* The shared addresses of the first GiB, from SHARED_AT on. */
map_shared:
	.irp n, 8, 9, 10, 11
	pushq	%r\n
	.endr
	movl	$VP_INFO, %eax
	.byte	0x66, 0x0f, 0x01, 0xcc
	.irp n, 11, 10, 9, 8
	popq	%r\n
	.endr
	decl	%ecx
	movl	$1, %eax
	shlq	%cl, %rax
	movq	%rax, shared_bit
	orq	$PTE_2M, %rax
	movl	$shared_pd, %edi
	movl	$512, %ecx
1:	stosq
	addq	$0x200000, %rax
	loop	1b
	movq	$(shared_pd + PTE_TABLE), FW_PAGE_TABLES + 0x1000 + 8 * 4
	ret

/* The low 32 bits of rdx in hexadecimal */
put_digits:
	movl	%edx, %ebx
	movl	$8, %ecx
1:	roll	$4, %ebx
	movb	%bl, %al
	andb	$15, %al
	addb	$'0', %al
	cmpb	$'9', %al
	jbe	2f
	addb	$('a' - '9' - 1), %al
2:	call	put
	loop	1b
	ret

device_byte:
	cmpb	$0, ghci
	jne	1f
	movl	$DEVICE, %edi
	xorl	%eax, %eax
	movb	(%rdi), %al		/* two bytes long */
	movq	%rax, %rdx
	jmp	2f
1:	movl	$VMCALL_MMIO, %edi
	movl	$1, %esi
	xorl	%edx, %edx
	movq	$DEVICE, %rcx
	orq	shared_bit, %rcx
	call	tdvmcall
2:	pushq	%rdx
	movb	$'M', %al
	call	put
	movq	(%rsp), %rdx
	call	put_digits
	popq	%rdx
	shrq	$8, %rdx
	jz	1f
	movb	$'l', %bl
	jmp	wrong
1:	ret

/* X and bl */
wrong:
	movb	$'X', %al
	call	put
	movb	%bl, %al
	call	put
	movb	$1, broken
	ret

/* rax = ticks */
ticks:
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	ret

device_times:
	movb	$'D', %al
	call	put
	movl	$ring_doorbell, %ebp
	call	time
	movl	$read_device, %ebp

/* the ticks of a call of rbp, in digits */
time:
	movl	$TURNS, turns
	call	ticks
	movq	%rax, began
1:	call	*%rbp
	decl	turns
	jnz	1b
	call	ticks
	subq	began, %rax
	xorl	%edx, %edx
	movl	$TURNS, %ecx
	divq	%rcx
	movl	%eax, %edx
	jmp	put_digits

ring_doorbell:
	cmpb	$0, ghci
	jne	1f
	movl	$DOORBELL, %edi
	xorl	%eax, %eax
	movw	%ax, (%rdi)
	ret
1:	movl	$2, %esi
	movl	$1, %edx
	movl	$DOORBELL, %ecx
	jmp	device_access

read_device:
	cmpb	$0, ghci
	jne	1f
	movl	$DEVICE, %edi
	movl	(%rdi), %eax
	ret
1:	movl	$4, %esi
	xorl	%edx, %edx
	movl	$DEVICE, %ecx
device_access:
	movl	$VMCALL_MMIO, %edi
	orq	shared_bit, %rcx
	xorl	%ebx, %ebx
	jmp	tdvmcall

/* rdi = where the page at rsi is reached as shared */
shared_address:
	movq	%rsi, %rdi
	cmpb	$0, ghci
	je	1f
	movabsq	$SHARED_AT, %rax
	addq	%rax, %rdi
1:	ret

share_page:
	cmpb	$0, ghci
	je	1f
	movl	$SHARED_PAGE, %esi
	orq	shared_bit, %rsi
	call	map_gpa
	testq	%rax, %rax
	movb	$'R', %al
	jnz	put
1:	movl	$SHARED_PAGE, %esi
	call	shared_address
	movl	$512, %ecx
	movabsq	$0x0000444552414853, %rax	/* "SHARED" */
	rep	stosq
	movb	$'H', %al
	jmp	put

read_privately:
	movq	SHARED_PAGE, %rdx
	pushq	%rdx
	movb	$'K', %al
	call	put
	popq	%rdx
	jmp	put_digits

write_shared:
	movl	$SPARE_PAGE, %esi
	call	shared_address
	call	write_secret
	movb	$'O', %al
	jmp	put

/* to rdi */
write_secret:
	.irp n, 0, 1, 2, 3
	movq	secret_a + 8 * \n, %rax
	xorq	secret_b + 8 * \n, %rax
	movq	%rax, 8 * \n (%rdi)
	.endr
	ret

share_any:
	xorl	%esi, %esi
	movl	$16, %ecx
1:	movl	$COM1_LSR, %edx
	inb	%dx, %al
	testb	$LSR_READY, %al
	jz	1b
	movl	$COM1, %edx
	inb	%dx, %al
	subb	$'a', %al
	movzbl	%al, %eax
	shlq	$4, %rsi
	orq	%rax, %rsi
	loop	1b
	xorl	%eax, %eax
	cmpb	$0, ghci
	je	2f
	orq	shared_bit, %rsi
	call	map_gpa
2:	testq	%rax, %rax
	movb	$'Y', %al
	jz	put
	movb	$'L', %al
	jmp	put

race:
	movl	$0, turns
1:	movl	turns, %edi
	shll	$12, %edi
	addl	$RACE_PAGE, %edi
	movl	%edi, %ebp
	call	write_secret
	cmpb	$0, ghci
	je	3f
	movl	%ebp, race_page
	movl	$1, FW_MAILBOX + 4	/* whose: the other's */
	movq	$other, FW_MAILBOX + 8
	movw	$1, FW_MAILBOX
	movl	%ebp, %esi
	orq	shared_bit, %rsi
	call	map_gpa
2:	pause
	cmpl	$0, race_page
	jne	2b
3:	incl	turns
	cmpl	$RACE_ROUNDS, turns
	jne	1b
	movb	$'C', %al
	jmp	put

/* The other vCPU, from its mailbox for the first round, and then by race_page. */
other:
	movl	$other_stack, %esp
1:	pause
	movl	race_page, %esi
	testl	%esi, %esi
	jz	1b
	call	map_gpa
	movl	$0, race_page
	jmp	1b

/* CPUID's leaf eax into four places from edi on */
read_cpuid:
	xorl	%ecx, %ecx
	cpuid
	movl	%eax, (%rdi)
	movl	%ebx, 4(%rdi)
	movl	%ecx, 8(%rdi)
	movl	%edx, 12(%rdi)
	ret

watch_tsc:
	call	ticks
	movq	%rax, last
	movb	$1, tsc_watched
	ret

watch_cpuid:
	.irp leaf, 0, 1, 7
	movl	$\leaf, %eax
	movl	$(known + 16 * \leaf), %edi
	call	read_cpuid
	.endr
	movb	$1, cpuid_watched
	ret

	.globl	ghci_check
ghci_check:
	cmpb	$0, tsc_watched
	je	1f
	call	ticks
	movb	$'t', %bl
	cmpq	last, %rax
	movq	%rax, last
	jb	wrong
1:	cmpb	$0, cpuid_watched
	je	1f
	.irp leaf, 0, 1, 7
	movl	$\leaf, %eax
	movl	$now, %edi
	call	read_cpuid
	.irp n, 0, 1
	movq	now + 8 * \n, %rax
	movb	$'i', %bl
	cmpq	known + 16 * \leaf + 8 * \n, %rax
	jne	wrong
	.endr
	.endr
1:	ret

/* The rest of the IDT, which begins with the exceptions. */
interrupts_on:
	movl	$(idt + 32 * 16), %edi
	movl	$32, %ecx
1:	movl	$interrupt, %eax
	cmpl	$0x80, %ecx
	jne	2f
	movl	$system_call, %eax
2:	movw	%ax, (%rdi)
	movw	$FW_CS, 2(%rdi)
	movw	$0x8e00, 4(%rdi)
	shrl	$16, %eax
	movw	%ax, 6(%rdi)
	movl	$0, 8(%rdi)
	addl	$16, %edi
	incl	%ecx
	cmpl	$IDT_ENTRIES, %ecx
	jne	1b
	lidt	whole_idtr
	movb	$1, interruptible
	ret

interrupt:
	incl	interrupts
	iretq

system_call:
	movb	$1, forged
	iretq

	.globl	ghci_wait
ghci_wait:
	cmpb	$0, interruptible
	je	1f
	sti
1:	movl	$500000, %ecx
2:	decl	%ecx
	jnz	2b
	cli
	cmpb	$0, forged
	je	3f
	movb	$'8', %bl
	jmp	wrong
3:	ret

interrupts_count:
	movb	$'I', %al
	call	put
	movl	interrupts, %edx
	jmp	put_digits

	.data
	.balign 8
whole_idtr:
	.word	IDT_ENTRIES * 16 - 1
	.quad	idt

	.bss
	.balign 4096
shared_pd:	.skip	4096
known:		.skip	16 * 8
now:		.skip	16
shared_bit:	.skip	8
unused:		.skip	8
began:		.skip	8
last:		.skip	8
turns:		.skip	4
race_page:	.skip	4
interrupts:	.skip	4
ghci:		.skip	1
tsc_watched:	.skip	1
cpuid_watched:	.skip	1
interruptible:	.skip	1
forged:		.skip	1
	.balign 16
	.skip	512
other_stack:

	.section .note.GNU-stack, "", @progbits
