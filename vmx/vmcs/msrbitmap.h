/* SPDX-License-Identifier: GPL-2.0 */
/* The merged MSR bitmap of a VMCS02 (vmx/vmcs/msrbitmap.c). */
#ifndef VMX_MSRBITMAP_H
#define VMX_MSRBITMAP_H

#include "vmx/vmcs/vvmcs.h"

/** msr_bitmap_sync() - make the merged bitmap as strict as L1's and the floor are now */
void msr_bitmap_sync(struct vvmcs *vv);

/** msr_wanted_by_l1() - does L1's bitmap, as it is now, intercept this access? */
bool msr_wanted_by_l1(const struct vvmcs *vv, u32 msr, bool write);

#endif /* VMX_MSRBITMAP_H */
