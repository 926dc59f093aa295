/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A demoted host with page tables and a VMCS12 that is right in every field.  What
 * is beneath it is the test's: w_root().
 */
#ifndef L1_H
#define L1_H

#include "fake/vmx.h"
#include "vmx/base/asm.h"
#include "vmx/cpu/event.h"
#include "vmx/nested/nested.h"
#include "vmx/vmcs/vvmcs.h"

/* Where things are in L1's memory (identity-mapped by its page tables at W_CR3). */
#define W_CR3		0x1000ULL
#define W_VMXON		0x10000ULL
#define W_VMCS12	0x11000ULL	/* and W_VMCS12B after it */
#define W_VMCS12B	0x12000ULL
#define W_MSR_BITMAP	0x13000ULL
#define W_VAPIC		0x14000ULL
#define W_APIC_ACCESS	0x15000ULL
#define W_IO_BITMAP	0x16000ULL	/* two frames */
#define W_MSR_LIST	0x18000ULL	/* two frames */
#define W_OPERAND	0x1a000ULL	/* memory operands; the next page is mapped elsewhere */
#define W_SCRATCH	0x1c000ULL
#define W_POOL		0x200000ULL	/* frames from here on are the layer's pool */
#define W_VMFRAME	0x1f000ULL	/* a frame that the host may not use */
#define W_EPTP		(0x20000ULL | 3 << 3 | 6)
#define W_INSN_LEN	4

/* Does the layer use VMCS shadowing?  Yes, unless the environment has W_SHADOWING=0. */
bool w_shadowing(void);

/* An exit of hardware's: VMCS01 or VMCS02 is current, and says the rest. */
void w_root(u32 reason);

void w_start_l1(struct percpu *cpu, u64 vmcs01);
void w_use_cpu(u32 n);
void w_reset_l1_memory(void);
u64 w_vmcs02(void);			/* of the current vvmcs */

/* L1 executes an instruction; the operand is at W_OPERAND or in a register. */
enum w_outcome { W_SUCCEED, W_FAIL_INVALID, W_FAIL_VALID, W_FAULT, W_RETRY, W_ENTERED, W_EXITED };
enum w_outcome w_insn(u32 reason, u32 info, u64 disp);
enum w_outcome w_insn_mem(u32 reason, u64 operand);
enum w_outcome w_vmread(u32 enc, u64 *val);
enum w_outcome w_vmwrite(u32 enc, u64 val);
u64 w_read(u32 enc);			/* VMREAD that must succeed */
void w_write(u32 enc, u64 val);		/* VMWRITE that must succeed */
u32 w_insn_error(void);

void w_vmxon(void);
void w_load(u64 pa);			/* VMCLEAR, VMPTRLD */
void w_fill_valid(void);		/* every field that an entry needs */
void w_valid_fields(void (*write)(u32 enc, u64 val));
enum w_outcome w_enter(bool launch);
/* Hardware exits from L2 with this reason; the fields are in VMCS02 already. */
void w_exit(u32 reason);

#endif /* L1_H */
