/* SPDX-License-Identifier: GPL-2.0 */
/* Checks of a VMCS12 on VM entry (vmx/vmcs/check.c). */
#ifndef VMX_CHECK_H
#define VMX_CHECK_H

#include "vmx/vmcs/vvmcs.h"

/*
 * Checks on VM entry (SDM vol. 3, section 27.2 and 27.3): functions of the
 * contents alone, but for the owner table that each address is asked of.
 */
/** vmcs12_check_controls() - Return: NULL, or the name of the check that failed */
const char *vmcs12_check_controls(const struct vvmcs *vv);
/** vmcs12_check_host_state() - Return: NULL, or the name of the check that failed */
const char *vmcs12_check_host_state(const struct vvmcs *vv);
/** vmcs12_check_addresses() - frames that VMCS02 would use: asked at every entry */
const char *vmcs12_check_addresses(const struct vvmcs *vv);
/**
 * vmcs12_check_guest_state() - what hardware cannot check because VMCS02 differs
 * @qual: exit qualification for the entry failure
 */
const char *vmcs12_check_guest_state(const struct vvmcs *vv, u64 *qual);

/** vmcs12_eptp_ok() - would a VM entry take this EPTP? */
bool vmcs12_eptp_ok(u64 eptp);

/** host_field_ok() - may VMCS01's guest-state field of an MSR take a value that L1 lists? */
bool host_field_ok(const struct vvmcs *vv, u32 guest_field, u64 val);

#endif /* VMX_CHECK_H */
