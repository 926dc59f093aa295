/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of nested VMX share among themselves. */
#ifndef VMX_NESTED_RUN_H
#define VMX_NESTED_RUN_H

#include "vmx/base/types.h"
#include "vmx/base/percpu.h"
#include "vmx/vmcs/vvmcs.h"

/*
 * nested_log() - up_log() for what L1 can cause at will: the first lines, then a few
 * Root mode must not stay long, and the ring must keep what came before.
 */
bool nested_log_due(void);

#define nested_log(...) \
	do { \
		if (nested_log_due()) \
			up_log(__VA_ARGS__); \
	} while (0)

/* Outcome of a VMX instruction (SDM vol. 3, section 31.2); each also steps over it. */
void vm_succeed(void);
void vm_fail_invalid(void);
/** vm_fail() - VMfailValid with @error if there is a current VMCS, else VMfailInvalid */
void vm_fail(struct percpu *cpu, u32 error);

/** nested_enter() - VMLAUNCH or VMRESUME of the current vvmcs passed the first checks */
void nested_enter(struct percpu *cpu, struct vvmcs *vv, bool launch);

/** nested_switch_to_l2(), nested_switch_to_l1() - change the current hardware VMCS */
void nested_switch_to_l2(struct percpu *cpu, struct vvmcs *vv);
void nested_switch_to_l1(struct percpu *cpu);

/** nested_prepare_tables() - before every entry to VMCS02, also when root handled the exit */
void nested_prepare_tables(struct vvmcs *vv);

/**
 * nested_reflect() - hand an exit to L1; VMCS02 is current before, VMCS01 after
 * @reason: whole exit reason
 * @qual: exit qualification that L1 shall see
 */
void nested_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual);

/** nested_reflect_entry_failure() - L1's VM entry fails after its checks; VMCS01 is current */
void nested_reflect_entry_failure(struct percpu *cpu, struct vvmcs *vv, u32 reason, u64 qual);

/**
 * nested_block_nmi_again() - an EPT violation with this qualification will be run again
 * It may have interrupted an IRET that ended an NMI; VMCS02 is current.  The bit is
 * undefined when an event was being delivered (SDM vol. 3, section 28.2.3).
 */
void nested_block_nmi_again(u64 qual);

/*
 * Checks on VM entry (SDM vol. 3, section 27.2 and 27.3): functions of the
 * contents alone, but for the owner table that each address is asked of.
 */
/** nested_check_controls() - Return: NULL, or the name of the check that failed */
const char *nested_check_controls(const struct vvmcs *vv);
/** nested_check_host_state() - Return: NULL, or the name of the check that failed */
const char *nested_check_host_state(const struct vvmcs *vv);
/** nested_check_addresses() - frames that VMCS02 would use: asked at every entry */
const char *nested_check_addresses(const struct vvmcs *vv);
/**
 * nested_check_guest_state() - what hardware cannot check because VMCS02 differs
 * @qual: exit qualification for the entry failure
 */
const char *nested_check_guest_state(const struct vvmcs *vv, u64 *qual);

/** host_field_ok() - may VMCS01's guest-state field of an MSR take a value that L1 lists? */
bool host_field_ok(u32 guest_field, u64 val);

/* Bitmaps (vmx/vmcs/bitmap.c) */
/** nested_bitmap_init() - Launch, first CPU, after msr_init().  Return: 0 or -UP_ENOMEM */
int nested_bitmap_init(void);
/** msr_bitmap_sync() - make the merged bitmap as strict as L1's and the floor are now */
void msr_bitmap_sync(struct vvmcs *vv);
/** msr_wanted_by_l1() - does L1's bitmap, as it is now, intercept this access? */
bool msr_wanted_by_l1(const struct vvmcs *vv, u32 msr, bool write);
/** io_bitmap_sync() - merged copy of L1's I/O bitmaps.  Return: 0 or -UP_ENOMEM */
int io_bitmap_sync(struct vvmcs *vv);
/** io_wanted_by_l1() - does L1's control or bitmap, as it is now, intercept this access? */
bool io_wanted_by_l1(const struct vvmcs *vv, u64 qual);
/** io_must_intercept() - may no VM touch these ports without an exit? */
bool io_must_intercept(u64 qual);

/* MSR lists (vmx/vmcs/msrlist.c) */
/**
 * msr_list_arm() - filtered copy of the entry MSR-load list, for hardware to load
 * Return: 0, or the 1-based number of the entry that is refused; -UP_ENOMEM
 */
int msr_list_arm(struct vvmcs *vv, u64 *pa, u32 *count);
/** msr_list_store() - VM-exit MSR-store list; VMCS02 is current.  Return: false: not possible */
bool msr_list_store(struct vvmcs *vv);
/** msr_list_load_host() - VM-exit MSR-load list; VMCS01 is current.  Return: false: VMX abort */
bool msr_list_load_host(struct vvmcs *vv);

#endif /* VMX_NESTED_RUN_H */
