/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/attack: what a hostile ring 0 can do, for the driver in user space to ask
 * for.  The module judges nothing but one thing: whether a value is one of the
 * secret's quadwords, which it knows only as two halves (A, B; secret = A ^ B),
 * so that it never holds what it looks for.
 */
#ifndef ATTACK_ABI_H
#define ATTACK_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct atk_secret {
	__u64 a[4], b[4];
};

/* How physical memory is reached. */
enum atk_way {
	ATK_DIRECT,		/* the direct map */
	ATK_VMAP,		/* a fresh kernel mapping */
	ATK_UNCACHED,		/* a fresh mapping of another memory type */
	ATK_KMAP,		/* kmap_local_page() */
	ATK_MEMREMAP,		/* memremap(), write-back */
	ATK_WAYS,
};

struct atk_mem {
	__u64 pa;		/* within one page */
	__u64 buf;		/* user address */
	__u32 len;
	__u32 way;
	__u32 write;
	__u32 reserved;
};

struct atk_scan {
	__u64 start, end;	/* physical; whole pages */
	__u64 found;		/* quadwords of the secret */
	__u64 where;		/* of the first */
	__u64 decoys;		/* pages that begin with the decoy's pattern ... */
	__u64 list;		/* ... their numbers, to this user address, */
	__u64 room;		/* as far as they fit */
};

struct atk_zero {
	__u64 list, count;	/* user address of page numbers */
	__u64 dirty;		/* pages that are not zero */
};

struct atk_call {
	__u64 rax, rbx, rcx, rdx, rsi;
	__u32 fault;
	__u32 vcpu;		/* descriptor + 1 of a vCPU whose VMCS is made current; 0: none */
};

struct atk_fuzz {
	__u64 seed, count;
	__u64 pfns[8];		/* frames to name: the VM's, the layer's, ordinary ones */
	__u64 scratch;		/* pfn of an ordinary page that may be overwritten */
	__u64 answered;		/* calls that gave 0 */
	__u64 refused;
};

enum atk_vmx_op {
	ATK_VMREAD, ATK_VMWRITE, ATK_VMPTRLD, ATK_VMCLEAR, ATK_VMXON, ATK_VMXOFF,
	ATK_VMPTRST, ATK_VMLAUNCH, ATK_VMRESUME, ATK_INVEPT, ATK_INVVPID,
	ATK_VMCS_COPY,		/* VMCLEAR, VMPTRLD of a copy of the frame, VMREAD of arg */
	ATK_VMWRITE_ALL,	/* every field := val and back; val: how many took it */
	ATK_VMCS_REWRITE,	/* VMCLEAR, the frame := val, VMPTRLD, VMREAD of arg */
	ATK_VMXON_AT,		/* VMXOFF, VMXON at arg; then VMXON as before */
	ATK_OPERAND_AT,		/* the operand is at arg; val: which instruction */
};

enum atk_vmx_result { ATK_OK, ATK_FAIL_INVALID, ATK_FAIL_VALID, ATK_FAULT };

struct atk_vmx {
	__s32 vcpu_fd;		/* its VMCS is made current first; -1: whatever is */
	__u32 op;
	__u64 arg;		/* encoding or address */
	__u64 val;
	__u32 result;
	__u32 error;		/* VM-instruction error */
};

#define ATK_GPRS	16	/* in the processor's order */
#define ATK_POKES	16
#define ATK_REASONS	80

/* What was found to hold some of the secret after an exit. */
#define ATK_LEAK_GPR	(1u << 0)
#define ATK_LEAK_YMM	(1u << 1)
#define ATK_LEAK_DR	(1u << 2)
#define ATK_LEAK_CR2	(1u << 3)
#define ATK_LEAK_FIELD	(1u << 4)

#define ATK_ALTER_YMM	(1u << 0)
#define ATK_ALTER_DR	(1u << 1)
#define ATK_ALTER_CR2	(1u << 2)
#define ATK_ALTER_MSR	(1u << 3)	/* LSTAR, STAR, ... */
#define ATK_PRETEND	(1u << 4)	/* claim that an instruction was emulated after any exit */
#define ATK_SPOIL	(1u << 5)	/* give wrong results for registers not asked for */
#define ATK_POKE_FIRST	(1u << 6)	/* the pokes come before the first entry */
#define ATK_AT_DEVICE	(1u << 7)	/* they come once a device was first accessed */
#define ATK_LIE		(1u << 8)	/* CPUID gives other answers from then on */
#define ATK_INJECT	(1u << 9)	/* events of any kind, at any instruction */

/* The VM's run by the module in KVM's stead, up to a number of exits. */
struct atk_run {
	__s32 vcpu_fd;
	__u32 exits;		/* at most; out: how many there were */
	__u32 alter;		/* ATK_ALTER_*, ... before entry number 1 (the second) */
	__u32 npokes;
	struct {
		__u32 field;
		__u32 mask;	/* 0: set to value; 1: or value into it; 2: take its bits out */
		__u64 value;
	} poke[ATK_POKES];	/* VMWRITE before entry number 1 */
	__u64 gpr_mask;		/* registers to set before entry number 1 */
	__u64 gpr_value;
	__u64 eptp;		/* if not 0, for the whole run */
	__u32 stop;		/* end after this exit reason, if not 0 */
	__u32 device_len;	/* of the instruction that accesses a device; 0: none is served */
	__u32 device_first;	/* its length for the first access, if not 0 */
	__u32 reserved2;
	__u64 device_value;	/* what it reads */
	char keys[8];		/* for the VM's COM1 */
	__u64 seed;		/* of ATK_INJECT, */
	__u32 events;		/* so many of which are injected, */
	__u32 ticks;		/* at most so many from one to the next */
	/* out */
	__u32 injected;
	__u32 devices;		/* accesses */
	__u32 leak;
	__u32 failed;		/* atk_vmx_result of the entry that failed */
	__u32 error;
	__u32 reason;		/* of the last exit */
	__u32 leak_reason;	/* first exit that leaked */
	__u64 qual, gpa;
	__u64 rip, rsp, cr3;	/* as VMREAD said after the last exit */
	__u32 count[ATK_REASONS];
	__u32 nchars;
	__u32 reserved;
	char chars[256];	/* what the VM wrote to COM1 */
};

struct atk_ept {
	__u64 pairs;		/* user address of { gfn, pfn } */
	__u64 count;
	__u64 eptp;		/* out */
};

struct atk_walk {
	__s32 vcpu_fd;
	__u32 level;		/* out: 1: 4 KiB */
	__u64 gpa;
	__u64 entry_pa, entry;	/* out: the leaf */
	__u64 eptp;		/* out */
};

struct atk_msr {
	__u32 index;
	__u32 write;
	__u64 val;
	__u32 fault;
	__u32 reserved;
};

struct atk_cr {
	__u32 cr;
	__u32 fault;
	__u64 set, clear;
};

/* Stores by another processor, which takes no exit meanwhile. */
struct atk_hammer {
	__u64 pa;
	__u64 a, b;		/* by turns */
	__u64 limit;		/* stores at most */
	__u32 cpu;
	__u32 running;
	__u64 count;		/* out */
	__u64 strange;		/* out: with a == b, loads that gave something else */
};

/* Two calls of the layer at the same time, the second on another processor. */
struct atk_race {
	struct atk_call call[2];
	__u32 cpu;
	__u32 reserved;
};

/* A register of a device, by a mapping of its own. */
struct atk_reg {
	__u64 pa;
	__u64 val;		/* to write; out: what was read */
	__u32 bytes;		/* 4 or 8 */
	__u32 write;
};

struct atk_init {
	__u32 apic_id;
	__u32 vector;		/* SIPI after it, if not 0 */
};

#define ATK_IOC		0xa7
#define ATK_SECRET	_IOW(ATK_IOC, 0, struct atk_secret)
#define ATK_MEM		_IOW(ATK_IOC, 1, struct atk_mem)
#define ATK_SCAN	_IOWR(ATK_IOC, 2, struct atk_scan)
#define ATK_ZERO	_IOWR(ATK_IOC, 3, struct atk_zero)
#define ATK_CALL	_IOWR(ATK_IOC, 4, struct atk_call)
#define ATK_FUZZ	_IOWR(ATK_IOC, 5, struct atk_fuzz)
#define ATK_VMX		_IOWR(ATK_IOC, 6, struct atk_vmx)
#define ATK_RUN		_IOWR(ATK_IOC, 7, struct atk_run)
#define ATK_EPT		_IOWR(ATK_IOC, 8, struct atk_ept)
#define ATK_WALK	_IOWR(ATK_IOC, 9, struct atk_walk)
#define ATK_MSR		_IOWR(ATK_IOC, 10, struct atk_msr)
#define ATK_CR		_IOWR(ATK_IOC, 11, struct atk_cr)
#define ATK_PAGE	_IOR(ATK_IOC, 12, __u64)	/* pfn of a page of the module's */
#define ATK_NMIS	_IOWR(ATK_IOC, 13, __u64)	/* in: how many; out: how many came */

#define ATK_HAMMER	_IOW(ATK_IOC, 14, struct atk_hammer)
#define ATK_HAMMER_STOP	_IOR(ATK_IOC, 15, struct atk_hammer)
#define ATK_RACE	_IOWR(ATK_IOC, 16, struct atk_race)
#define ATK_INIT	_IOW(ATK_IOC, 17, struct atk_init)
#define ATK_REG		_IOWR(ATK_IOC, 18, struct atk_reg)

#endif /* ATTACK_ABI_H */
