/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ATTACK_MODULE_H
#define ATTACK_MODULE_H

#include <linux/compiler.h>
#include "abi.h"

struct kvm_vcpu;

extern struct atk_secret secret;

/* Is @v one of the secret's quadwords?  Never joins the halves. */
static inline bool is_secret(u64 v)
{
	int i;

	for (i = 0; i < 4; i++) {
		u64 x = v ^ secret.a[i];

		OPTIMIZER_HIDE_VAR(x);
		if (x == secret.b[i] && secret.a[i])
			return true;
	}
	return false;
}

/* A frame that the module owns; freed with it.  NULL: no memory. */
void *frame_alloc(void);

/* The vCPU behind a descriptor of the calling process; vcpu_leave() undoes it. */
struct kvm_vcpu *vcpu_enter(int fd, struct file **file);
void vcpu_leave(struct kvm_vcpu *vcpu, struct file *file);

/* A call of the layer. */
void vmcall(struct atk_call *c);

/* VMX instructions; each returns enum atk_vmx_result. */
u32 do_vmread(u64 field, u64 *val);
u32 do_vmwrite(u64 field, u64 val);
u64 read_field(u64 field);
u32 insn_error(void);

/* enter.S: VMLAUNCH or VMRESUME with @gpr; both directions.  Return: 0, or 1: it failed */
asmlinkage unsigned long attack_enter(u64 *gpr, unsigned long launch);

long atk_mem(void __user *arg);
long atk_reg(void __user *arg);
long atk_scan(void __user *arg);
long atk_zero(void __user *arg);
long atk_call(void __user *arg);
long atk_fuzz(void __user *arg);
long atk_vmx(void __user *arg);
long atk_run(void __user *arg);
long atk_ept(void __user *arg);
long atk_walk(void __user *arg);
long atk_msr(void __user *arg);
long atk_cr(void __user *arg);
long atk_nmis(void __user *arg);
long atk_hammer(void __user *arg);
long atk_hammer_stop(void __user *arg);
long atk_race(void __user *arg);
long atk_init(void __user *arg);

#endif /* ATTACK_MODULE_H */
