/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test guest that keeps a secret: build/tiny-fw.bin, for QEMU's -bios.
 *
 *	qemu-system-x86_64 -machine pc,hpet=off,smm=off -nodefaults -no-reboot \
 *		-nographic -serial stdio -m 128 -bios build/tiny-fw.bin
 *
 * The secret is 32 bytes, A ^ B: the image holds A in the 32 bytes at file offset
 * 0xffb0 and B at 0xffd0, so that whoever scans the host's memory for the secret
 * finds neither the file nor the ROM.  A test chooses its own secret:
 *
 *	dd if=/dev/urandom of=copy-of-tiny-fw.bin bs=1 seek=$((0xffb0)) count=64 conv=notrunc
 *
 * With the secret's quadwords q0..q3 (little endian, in memory's order) it fills
 *
 *	memory		the page at 0x200000, with the secret 128 times
 *	r8..r15		q0 q1 q2 q3 q0 q1 q2 q3
 *	ymm0..ymm7	the secret (without AVX: xmm0..xmm7, q0 q1)
 *	dr0..dr3	q0 q1 q2 q3
 *	cr2		q3
 *
 * and then, for ever: CPUID, OUT '.', a delay without exits, a check of all these.
 * On COM1 it says
 *
 *	T	it runs			P, U	a layer answers (protected), or none does
 *	D, N	a single step, and where a layer answers INT1, too (QEMU's TCG has none),
 *		trap as on a bare processor, or do not
 *	.	before each check
 *	S	all is intact
 *	Xm Xr Xy Xx Xd Xc	memory, a GPR, YMM, XMM, DR or CR2 is not; it goes on
 *	Ee	exception number e (a letter, A = 0); it resets
 *
 * and it reads from COM1, when there is something
 *
 *	h	share the page at 0x300000 with the host, and write "SHARED" 512 times there
 *	u	unshare it		(answers to both: H or U if done, R if refused)
 *	a	and 64 bytes: its report by the layer, over these bytes: 'A' and 688 bytes in
 *		hexadecimal, or R
 *	q	reset
 * and those of tests/guest/tiny-ghci.S.
 */
#include "layout.h"

/* As in vmx/abi/call.h, whose enumerations an assembler cannot read. */
#define UP_GUEST_PRESENT	0x55500080
#define UP_GUEST_SHARE		0x55500081
#define UP_GUEST_UNSHARE	0x55500082
#define UP_GUEST_ATTEST		0x55500085
#define UP_EAGAIN		11
#define PROOF_SIZE		688

#define COM1		0x3f8
#define COM1_LSR	0x3fd
#define LSR_READY	0x01
#define LSR_THRE	0x20
#define SECRET_PAGE	0x200000
#define SHARED_PAGE	0x300000
#define ATTEST_PAGE	0x400000
#define ATTEST_ROOM	0x400040
#define TRAP_RAX	0
#define TRAP_VECTOR	72
#define TRAP_RIP	88
#define TRAP_RFLAGS	104

/* rax = quadword \n of the secret */
.macro secret n
	movq	secret_a + 8 * \n, %rax
	xorq	secret_b + 8 * \n, %rax
.endm

/* Say X\what when the last comparison differed. */
.macro verdict what
	je	8f
	movb	$'X', %al
	call	put
	movb	$\what, %al
	call	put
	movb	$1, broken
8:
.endm

	.section .patch, "a"
secret_a_rom:
	.quad	0x1122334455667788, 0x99aabbccddeeff00, 0x0f1e2d3c4b5a6978, 0x8796a5b4c3d2e1f0
	.quad	0xa5a5a5a5a5a5a5a5, 0x5a5a5a5a5a5a5a5a, 0xc3c3c3c3c3c3c3c3, 0x3c3c3c3c3c3c3c3c

	.text
	.globl	fw_main
fw_main:
	/* the IDT: what module/guest/trap.c does, in a loop */
	movl	$trap_entries, %eax
	movl	$idt, %edi
	movl	$32, %ecx
1:	movw	%ax, (%rdi)
	movw	$FW_CS, 2(%rdi)
	movw	$0x8e00, 4(%rdi)
	movl	%eax, %edx
	shrl	$16, %edx
	movw	%dx, 6(%rdi)
	movl	$0, 8(%rdi)
	addl	$16, %eax
	addl	$16, %edi
	decl	%ecx
	jnz	1b
	lidt	idtr

	movb	$'T', %al
	call	put
	movl	$UP_GUEST_PRESENT, %edi
	xorl	%esi, %esi
	xorl	%edx, %edx
	movl	$scratch, %ecx
	call	guest_call
	testq	%rax, %rax
	movb	$'U', %al
	jnz	1f
	movb	$'P', %al
1:	call	put
	call	debug_traps
	call	put

	/* A and B from the ROM's addresses, which the identity map has above 2 GiB */
	movl	$secret_a_rom, %esi
	movl	$secret_a, %edi
	movl	$8, %ecx
	rep	movsq
	call	enable_vectors
	call	fill
again:
	xorl	%eax, %eax
	cpuid
	movb	$'.', %al
	call	put
	call	ghci_wait
	movb	$0, broken
	call	ghci_check
	call	check_registers
	call	check_vectors
	call	check_memory
	cmpb	$0, broken
	jne	1f
	movb	$'S', %al
	call	put
1:	call	command
	jmp	again

/* al = 'D' if one instruction is stepped (DR6.BS), and if al was 'P' INT1 traps behind itself */
debug_traps:
	movb	%al, %bh
	pushfq
	orq	$0x100, (%rsp)
	popfq
	nop
stepped:
	movq	%dr6, %rsi
	cmpl	$1, db_seen
	jne	1f
	cmpq	$stepped, db_rip
	jne	1f
	btl	$14, %esi
	jnc	1f
	cmpb	$'P', %bh
	jne	2f
	xorl	%eax, %eax
	movq	%rax, %dr6
	.byte	0xf1			/* INT1 */
behind_int1:
	cmpl	$2, db_seen
	jne	1f
	cmpq	$behind_int1, db_rip
	jne	1f
2:	movb	$'D', %al
	ret
1:	movb	$'N', %al
	ret

/* SSE, and AVX where the processor has it */
enable_vectors:
	movq	%cr0, %rax
	andq	$~4, %rax		/* EM */
	orq	$2, %rax		/* MP */
	movq	%rax, %cr0
	movq	%cr4, %rax
	orq	$0x600, %rax		/* OSFXSR, OSXMMEXCPT */
	movq	%rax, %cr4
	movl	$1, %eax
	cpuid
	andl	$0x14000000, %ecx	/* AVX, XSAVE */
	cmpl	$0x14000000, %ecx
	jne	1f
	movq	%cr4, %rax
	orq	$0x40000, %rax		/* OSXSAVE */
	movq	%rax, %cr4
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$7, %eax
	xsetbv
	movb	$1, have_avx
1:	ret

fill:
	.irp n, 0, 1, 2, 3
	secret	\n
	movq	%rax, scratch + 8 * \n
	movq	%rax, %dr\n
	.endr
	movq	%rax, %cr2
	movl	$SECRET_PAGE, %edi
	movl	$128, %edx
1:	movl	$scratch, %esi
	movl	$4, %ecx
	rep	movsq
	decl	%edx
	jnz	1b
	cmpb	$0, have_avx
	jne	2f
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	movdqu	scratch, %xmm\n
	.endr
	jmp	3f
2:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7
	vmovdqu	scratch, %ymm\n
	.endr
3:	movq	scratch, %r8
	movq	scratch + 8, %r9
	movq	scratch + 16, %r10
	movq	scratch + 24, %r11
	movq	%r8, %r12
	movq	%r9, %r13
	movq	%r10, %r14
	movq	%r11, %r15
	ret

.macro check_gpr n, first, second
	secret	\n
	cmpq	%rax, %r\first
	verdict 'r'
	secret	\n
	cmpq	%rax, %r\second
	verdict 'r'
	movq	%dr\n, %rbx
	secret	\n
	cmpq	%rax, %rbx
	verdict 'd'
.endm

check_registers:
	check_gpr 0, 8, 12
	check_gpr 1, 9, 13
	check_gpr 2, 10, 14
	check_gpr 3, 11, 15
	movq	%cr2, %rbx
	secret	3
	cmpq	%rax, %rbx
	verdict 'c'
	ret

.macro check_scratch n, what
	secret	\n
	cmpq	%rax, scratch + 8 * \n
	verdict \what
.endm

check_vectors:
	cmpb	$0, have_avx
	jne	1f
	.irp v, 0, 1, 2, 3, 4, 5, 6, 7
	movdqu	%xmm\v, scratch
	check_scratch 0, 'x'
	check_scratch 1, 'x'
	.endr
	ret
1:
	.irp v, 0, 1, 2, 3, 4, 5, 6, 7
	vmovdqu	%ymm\v, scratch
	check_scratch 0, 'y'
	check_scratch 1, 'y'
	check_scratch 2, 'y'
	check_scratch 3, 'y'
	.endr
	ret

check_memory:
	movl	$SECRET_PAGE, %edi
	movl	$128, %ecx
1:	.irp n, 0, 1, 2, 3
	secret	\n
	cmpq	%rax, 8 * \n (%rdi)
	jne	2f
	.endr
	addl	$32, %edi
	decl	%ecx
	jnz	1b
2:	verdict 'm'
	ret

/* al to COM1; clobbers dx and ah */
	.globl	put
put:
	movb	%al, %ah
	movl	$COM1_LSR, %edx
1:	inb	%dx, %al
	testb	$LSR_THRE, %al
	jz	1b
	movb	%ah, %al
	movl	$COM1, %edx
	outb	%al, %dx
	ret

/* One command from COM1, if there is one.  guest_call() keeps r8 to r15 as they are. */
command:
	movl	$COM1_LSR, %edx
	inb	%dx, %al
	testb	$LSR_READY, %al
	jz	1f
	movl	$COM1, %edx
	inb	%dx, %al
	cmpb	$'q', %al
	je	triple_fault
	cmpb	$'a', %al
	je	attest
	movl	$UP_GUEST_SHARE, %edi
	cmpb	$'h', %al
	je	2f
	movl	$UP_GUEST_UNSHARE, %edi
	cmpb	$'u', %al
	je	2f
	jmp	ghci_command
1:	ret
2:	pushq	%rdi
	movl	$(SHARED_PAGE / 4096), %esi
	movl	$1, %edx
	movl	$scratch, %ecx
	call	guest_call
	popq	%rdi
	testq	%rax, %rax
	movb	$'R', %al
	jnz	put
	movb	$'U', %al
	cmpl	$UP_GUEST_SHARE, %edi
	jne	put
	movl	$SHARED_PAGE, %edi
	movl	$512, %ecx
	movabsq	$0x0000444552414853, %rax	/* "SHARED" */
	rep	stosq
	movb	$'H', %al
	jmp	put

attest:
	movl	$ATTEST_PAGE, %edi
	movl	$64, %ecx
1:	movl	$COM1_LSR, %edx
	inb	%dx, %al
	testb	$LSR_READY, %al
	jz	1b
	movl	$COM1, %edx
	inb	%dx, %al
	stosb
	decl	%ecx
	jnz	1b
2:	movl	$UP_GUEST_ATTEST, %edi
	movl	$ATTEST_PAGE, %esi
	movl	$ATTEST_ROOM, %edx
	movl	$scratch, %ecx
	call	guest_call
	cmpq	$-UP_EAGAIN, %rax
	je	2b
	testq	%rax, %rax
	movb	$'R', %al
	jnz	put
	movb	$'A', %al
	call	put
	movl	$ATTEST_ROOM, %esi
	movl	$PROOF_SIZE, %ecx
3:	lodsb
	movb	%al, %bh
	shrb	$4, %al
	call	digit
	movb	%bh, %al
	andb	$15, %al
	call	digit
	decl	%ecx
	jnz	3b
	movb	$'\n', %al
	jmp	put

/* al, below 16, in hexadecimal */
digit:
	addb	$'0', %al
	cmpb	$'9', %al
	jbe	put
	addb	$('a' - '9' - 1), %al
	jmp	put

/* Called by start.S with the trap frame in rdi. */
	.globl	trap
trap:
	cmpq	$6, TRAP_VECTOR(%rdi)
	jne	1f
	cmpq	$guest_call_insn, TRAP_RIP(%rdi)
	jne	1f
	addq	$3, TRAP_RIP(%rdi)
	movq	$-38, TRAP_RAX(%rdi)	/* UP_ENOSYS */
	ret
1:	cmpq	$2, TRAP_VECTOR(%rdi)	/* an NMI: the host may */
	je	2f
	cmpq	$1, TRAP_VECTOR(%rdi)
	jne	3f
	movq	TRAP_RIP(%rdi), %rax
	movq	%rax, db_rip
	incl	db_seen
	andq	$~0x100, TRAP_RFLAGS(%rdi)
	ret
3:
	movb	$'E', %al
	call	put
	movb	TRAP_VECTOR(%rdi), %al
	addb	$'A', %al
	call	put
	jmp	triple_fault
2:	ret

	.data
	.balign 8
idtr:
	.word	32 * 16 - 1
	.quad	idt

	.bss
	.balign 16
	.globl	idt, secret_a, secret_b, broken
idt:		.skip	256 * 16
secret_a:	.skip	32
secret_b:	.skip	32
scratch:	.skip	32
db_rip:		.skip	8
db_seen:	.skip	4
have_avx:	.skip	1
broken:		.skip	1

	.section .note.GNU-stack, "", @progbits
