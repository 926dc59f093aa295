/* SPDX-License-Identifier: GPL-2.0 */
/* EPT violations of VMs: the two-stage mapping protocol (ept/violation.c; S1.2). */
#ifndef EPT_VIOLATION_H
#define EPT_VIOLATION_H

#include "ept/vm_ept.h"

/**
 * vm_ept_prepare() - call before every VM entry that uses @t, on this CPU
 *
 * Flushes this CPU where the table was emptied since it last ran in it, and
 * fills what a violation just reflected to KVM has put into KVM's table, which
 * saves the second exit for it.  Takes frames_lock then.
 */
void vm_ept_prepare(struct vm_ept *t);

/**
 * vm_ept_violation() - stage one and three of the two-stage mapping protocol (S1.2)
 * @t: the table in use
 * @eptp12: KVM's table, a proposal only
 * @gpa: @qual: from the VMCS; *qual is corrected to what KVM would have seen
 * EPT_NOMEM: nothing else to recycle; run the host, then try again.
 */
enum ept_result vm_ept_violation(struct vm_ept *t, u64 eptp12, u64 gpa, u64 *qual);

#endif /* EPT_VIOLATION_H */
