/* SPDX-License-Identifier: GPL-2.0 */
/* What a VM asks of the layer about itself (docs/attestation.md).  All hold the VM's lock. */
#ifndef VMX_REPORT_H
#define VMX_REPORT_H

#include "vmx/vm/vm.h"

/**
 * report_vm() - the VM's own report, signed, over 64 bytes of its choice
 * @data: their address; @to: room for a struct up_vm_proof; each within one private page
 * Return: 0, -UP_EAGAIN: call again, -UP_EINVAL, -UP_EPERM: the launch has no key
 */
long report_vm(struct vm *vm, u64 data, u64 to);

/**
 * report_extend() - RTMR @index = SHA-384(RTMR, 48 bytes at @data in a private page)
 * Return: 0 or -UP_EINVAL
 */
long report_extend(struct vm *vm, u64 index, u64 data);

#endif /* VMX_REPORT_H */
