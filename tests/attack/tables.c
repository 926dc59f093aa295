// SPDX-License-Identifier: GPL-2.0
/* Extended page tables: KVM's, to be looked at, and our own, to be used instead. */
#include <linux/io.h>
#include <linux/kvm_host.h>
#include <linux/uaccess.h>
#include <asm/vmx.h>
#include "module.h"

#define EPT_RWX		7
#define EPT_WB		(6 << 3)
#define EPT_LARGE	BIT(7)
#define EPT_ADDR	GENMASK_ULL(51, 12)
#define EPTP_FLAGS	(6 | 3 << 3)

static u64 *slot(u64 *root, u64 gfn)
{
	u64 *t = root, *e;
	int l;

	for (l = 3; l > 0; l--) {
		e = &t[gfn >> 9 * l & 511];
		if (!*e) {
			t = frame_alloc();
			if (!t)
				return NULL;
			*e = virt_to_phys(t) | EPT_RWX;
		}
		t = __va(*e & EPT_ADDR);
	}
	return &t[gfn & 511];
}

long atk_ept(void __user *arg)
{
	u64 pair[2], i, *e, *root = frame_alloc();
	struct atk_ept t;

	if (!root)
		return -ENOMEM;
	if (copy_from_user(&t, arg, sizeof(t)))
		return -EFAULT;
	for (i = 0; i < t.count; i++) {
		if (copy_from_user(pair, u64_to_user_ptr(t.pairs + i * sizeof(pair)),
				   sizeof(pair)))
			return -EFAULT;
		e = slot(root, pair[0]);
		if (!e)
			return -ENOMEM;
		*e = pair[1] << PAGE_SHIFT | EPT_RWX | EPT_WB;
	}
	t.eptp = virt_to_phys(root) | EPTP_FLAGS;
	return copy_to_user(arg, &t, sizeof(t)) ? -EFAULT : 0;
}

/* KVM's table for a vCPU, as its VMCS names it. */
long atk_walk(void __user *arg)
{
	struct kvm_vcpu *vcpu;
	struct atk_walk w;
	struct file *file;
	u64 table;

	if (copy_from_user(&w, arg, sizeof(w)))
		return -EFAULT;
	vcpu = vcpu_enter(w.vcpu_fd, &file);
	if (!vcpu)
		return -EBADF;
	w.eptp = read_field(EPT_POINTER);
	vcpu_leave(vcpu, file);
	table = w.eptp & EPT_ADDR;
	for (w.level = 4; table; w.level--) {
		w.entry_pa = table + (w.gpa >> (3 + 9 * w.level) & 511) * 8;
		w.entry = *(u64 *)__va(w.entry_pa);
		if (w.level == 1 || !(w.entry & EPT_RWX) || w.entry & EPT_LARGE)
			break;
		table = w.entry & EPT_ADDR;
	}
	return copy_to_user(arg, &w, sizeof(w)) ? -EFAULT : 0;
}
