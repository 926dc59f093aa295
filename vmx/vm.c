// SPDX-License-Identifier: GPL-2.0
#include "vm.h"
#include "vm_call.h"
#include "errno.h"
struct spinlock vms_lock;
u32 vms_count(void) { return 0; }
bool vms_present(void) { return vms_count() != 0; }
#define S(n) long n(struct percpu *cpu) { (void)cpu; return -UP_ENOSYS; }
S(call_vm_create) S(call_vm_donate) S(call_vm_bind_vcpu) S(call_vm_measure) S(call_vm_kill)
S(call_vm_reclaim) S(call_vm_destroy) S(call_vm_info)
