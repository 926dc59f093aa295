/* SPDX-License-Identifier: GPL-2.0 */
/* What vmx/exit/entry.S calls. */
#ifndef VMX_EXIT_H
#define VMX_EXIT_H

#include "vmx/base/percpu.h"

/** vm_exit() - every VM exit, on the CPU's root stack */
void vm_exit(struct percpu *cpu);

/** vm_entry_failed() - VMLAUNCH or VMRESUME has come back */
void vm_entry_failed(struct percpu *cpu);

/** vm_nmi() - an NMI was noted: deliver it, or see that it is delivered next */
void vm_nmi(struct percpu *cpu);

struct exception_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/** root_exception() - an exception in root mode: a refused MSR access, or the end */
void root_exception(struct exception_frame *f);

#endif /* VMX_EXIT_H */
