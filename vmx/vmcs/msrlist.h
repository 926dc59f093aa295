/* SPDX-License-Identifier: GPL-2.0 */
/* MSR lists of a VMCS12 (vmx/vmcs/msrlist.c). */
#ifndef VMX_MSRLIST_H
#define VMX_MSRLIST_H

#include "vmx/vmcs/vvmcs.h"

/**
 * msr_list_arm() - filtered copy of the entry MSR-load list, for hardware to load
 * Return: 0, or the 1-based number of the entry that is refused
 */
u32 msr_list_arm(struct vvmcs *vv, u64 *pa, u32 *count);
/** msr_list_store() - VM-exit MSR-store list; VMCS02 is current.  Return: false: not possible */
bool msr_list_store(struct vvmcs *vv);
/** msr_list_load_host() - VM-exit MSR-load list; VMCS01 is current.  Return: false: VMX abort */
bool msr_list_load_host(struct vvmcs *vv);

#endif /* VMX_MSRLIST_H */
