/* SPDX-License-Identifier: GPL-2.0 */
/* MSRs and I/O ports that the layer mediates (vmx/intercept/msr.c). */
#ifndef VMX_MSR_H
#define VMX_MSR_H

#include "vmx/base/types.h"

/** msr_init() - build the demoted host's MSR and I/O bitmaps.  Launch, first CPU. */
int msr_init(void);

/** msr_bitmap_host(), io_bitmap_host() - physical addresses for VMCS01; @half 0: A, 1: B */
u64 msr_bitmap_host(void);
u64 io_bitmap_host(u32 half);

/**
 * msr_vm_must_intercept() - true if no VM may touch @msr without an exit
 * @write: the access is a write
 *
 * The floor under every merged MSR bitmap, and the deny list of every MSR-load
 * list that L1 supplies for a VM.
 */
bool msr_vm_must_intercept(u32 msr, bool write);

/**
 * msr_bitmap_set_floor() - set the bits of msr_vm_must_intercept() in a bitmap
 * @bitmap: 4 KiB, layout of SDM vol. 3, 25.6.9
 */
void msr_bitmap_set_floor(u8 *bitmap);

/**
 * host_msr_read(), host_msr_write() - the demoted host's access, as hardware would
 * have done it but for what the layer keeps
 * Return: 0, or a negative UP_E*: inject #GP
 */
int host_msr_read(u32 msr, u64 *val);
int host_msr_write(u32 msr, u64 val);

#endif /* VMX_MSR_H */
