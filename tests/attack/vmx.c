// SPDX-License-Identifier: GPL-2.0
/* Calls of the layer and VMX instructions, with any operand. */
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/nmi.h>
#include <linux/uaccess.h>
#include <asm/apic.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include "module.h"

static void call(struct atk_call *c)
{
	c->fault = 1;
	asm volatile("1: vmcall\n"
		     "   movl $0, %[fault]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+a"(c->rax), "+b"(c->rbx), "+c"(c->rcx), "+d"(c->rdx), "+S"(c->rsi),
		       [fault] "+m"(c->fault)
		     : : "cc", "memory");
}

long atk_call(void __user *arg)
{
	struct atk_call c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	call(&c);
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static u64 next_random(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* A boundary value, a frame of interest, or anything. */
static u64 argument(struct atk_fuzz *f)
{
	static const u64 bounds[] = {
		0, 1, 2, 7, 8, 63, 64, 255, 256, 257, 511, 512, 513, 4096, ~0ULL, ~0ULL >> 1,
		1ULL << 36, (1ULL << 36) - 1, 1ULL << 40, (1ULL << 40) - 1, 1ULL << 52, 1ULL << 63,
		0xffffffff, 0x100000000, 0xfee00, 0xffff0, 0x200,
	};
	u64 r = next_random(&f->seed);

	switch (r % 4) {
	case 0:
		return bounds[(r >> 8) % ARRAY_SIZE(bounds)];
	case 1:
		return f->pfns[(r >> 8) % ARRAY_SIZE(f->pfns)];
	case 2:
		return (r >> 8) % 64;
	}
	return next_random(&f->seed);
}

/* The scratch page holds what a list may hold. */
static void fill_scratch(struct atk_fuzz *f)
{
	u64 *page = __va(f->scratch << PAGE_SHIFT);
	unsigned int i;

	for (i = 0; i < 8; i++)
		page[i] = argument(f);
}

/*
 * What would only hurt ourselves is left out: real frames of Linux must not be
 * given away, the layer not be left, and the VM under attack not be killed.
 */
static bool harmful(const struct atk_call *c)
{
	u32 op = c->rax & 0xffff;

	return op == 0x01 || op == 0x06 || op == 0x14;
}

long atk_fuzz(void __user *arg)
{
	struct atk_fuzz f;
	struct atk_call c;
	u64 i;

	if (copy_from_user(&f, arg, sizeof(f)))
		return -EFAULT;
	for (i = 0; i < f.count; i++) {
		c.rax = 0x55500000 + next_random(&f.seed) % (i % 8 ? 0x20 : 0x10000);
		c.rbx = argument(&f);
		c.rcx = next_random(&f.seed) % 3 ? argument(&f) : f.scratch;
		c.rdx = argument(&f);
		c.rsi = argument(&f);
		fill_scratch(&f);
		if (harmful(&c))
			continue;
		call(&c);
		if (!c.fault && !c.rax)
			f.answered++;
		else
			f.refused++;
		cond_resched();
	}
	return copy_to_user(arg, &f, sizeof(f)) ? -EFAULT : 0;
}

/* One VMX instruction; its outcome in @r. */
#define VMX_INSN(r, insn, outs, ...)					\
	do {								\
		u8 cf = 0, zf = 0;					\
		u32 fault = 1;						\
									\
		asm volatile("1: " insn "\n"				\
			     "   setc %[cf]\n"				\
			     "   setz %[zf]\n"				\
			     "   movl $0, %[fault]\n"			\
			     "2:\n"					\
			     _ASM_EXTABLE(1b, 2b)			\
			     : [cf] "+m"(cf), [zf] "+m"(zf),		\
			       [fault] "+m"(fault) outs			\
			     : __VA_ARGS__				\
			     : "cc", "memory");				\
		(r) = fault ? ATK_FAULT : cf ? ATK_FAIL_INVALID :	\
		      zf ? ATK_FAIL_VALID : ATK_OK;			\
	} while (0)
#define NO_OUT
#define OUT(x)	, x

u32 do_vmread(u64 field, u64 *val)
{
	u64 v = 0;
	u32 r;

	VMX_INSN(r, "vmread %[f], %[v]", OUT([v] "+r"(v)), [f] "r"(field));
	*val = v;
	return r;
}

u32 do_vmwrite(u64 field, u64 val)
{
	u32 r;

	VMX_INSN(r, "vmwrite %[v], %[f]", NO_OUT, [v] "r"(val), [f] "r"(field));
	return r;
}

u64 read_field(u64 field)
{
	u64 val;

	return do_vmread(field, &val) == ATK_OK ? val : 0;
}

u32 insn_error(void)
{
	return read_field(0x4400);
}

static u32 one(struct atk_vmx *v)
{
	struct { u64 a, b; } desc = { v->val, v->val };
	u64 pa = v->arg;
	u32 r = ATK_FAULT;

	switch (v->op) {
	case ATK_VMREAD:
		return do_vmread(v->arg, &v->val);
	case ATK_VMWRITE:
		return do_vmwrite(v->arg, v->val);
	case ATK_VMPTRLD:
		VMX_INSN(r, "vmptrld %[m]", NO_OUT, [m] "m"(pa));
		break;
	case ATK_VMCLEAR:
		VMX_INSN(r, "vmclear %[m]", NO_OUT, [m] "m"(pa));
		break;
	case ATK_VMXON:
		VMX_INSN(r, "vmxon %[m]", NO_OUT, [m] "m"(pa));
		break;
	case ATK_VMXOFF:
		VMX_INSN(r, "vmxoff", NO_OUT, "m"(pa));
		break;
	case ATK_VMPTRST:
		VMX_INSN(r, "vmptrst %[m]", NO_OUT, [m] "m"(v->val));
		break;
	case ATK_VMLAUNCH:
		VMX_INSN(r, "vmlaunch", NO_OUT, "m"(pa));
		break;
	case ATK_VMRESUME:
		VMX_INSN(r, "vmresume", NO_OUT, "m"(pa));
		break;
	case ATK_INVEPT:
		VMX_INSN(r, "invept %[m], %[t]", NO_OUT, [m] "m"(desc), [t] "r"(v->arg));
		break;
	case ATK_INVVPID:
		VMX_INSN(r, "invvpid %[m], %[t]", NO_OUT, [m] "m"(desc), [t] "r"(v->arg));
		break;
	}
	return r;
}

struct kvm_vcpu *vcpu_enter(int fd, struct file **file)
{
	struct kvm_vcpu *vcpu;

	*file = fget(fd);
	if (!*file)
		return NULL;
	vcpu = (*file)->private_data;
	vcpu_load(vcpu);
	preempt_disable();
	return vcpu;
}

void vcpu_leave(struct kvm_vcpu *vcpu, struct file *file)
{
	preempt_enable();
	vcpu_put(vcpu);
	fput(file);
}

long atk_vmx(void __user *arg)
{
	struct kvm_vcpu *vcpu = NULL;
	struct file *file;
	struct atk_vmx v;
	u64 old = ~0ULL;
	u32 r;

	if (copy_from_user(&v, arg, sizeof(v)))
		return -EFAULT;
	if (v.vcpu_fd >= 0)
		vcpu = vcpu_enter(v.vcpu_fd, &file);
	else
		preempt_disable();
	VMX_INSN(r, "vmptrst %[m]", OUT([m] "+m"(old)), "m"(old));
	v.result = one(&v);
	v.error = v.result == ATK_FAIL_VALID ? insn_error() : 0;
	/* KVM believes that its VMCS is the current one. */
	if (r == ATK_OK && old != ~0ULL && v.op == ATK_VMPTRLD)
		VMX_INSN(r, "vmptrld %[m]", NO_OUT, [m] "m"(old));
	if (vcpu)
		vcpu_leave(vcpu, file);
	else
		preempt_enable();
	return copy_to_user(arg, &v, sizeof(v)) ? -EFAULT : 0;
}

long atk_msr(void __user *arg)
{
	struct atk_msr m;

	if (copy_from_user(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.write)
		m.fault = !!wrmsrl_safe(m.index, m.val);
	else
		m.fault = !!rdmsrl_safe(m.index, &m.val);
	return copy_to_user(arg, &m, sizeof(m)) ? -EFAULT : 0;
}

/* Writes a control register and puts the old value back. */
long atk_cr(void __user *arg)
{
	unsigned long old, val, flags;
	struct atk_cr c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	c.fault = 1;
	local_irq_save(flags);
	if (c.cr == 0) {
		old = native_read_cr0();
		val = (old | c.set) & ~c.clear;
		asm volatile("1: mov %[v], %%cr0\n"
			     "   movl $0, %[f]\n"
			     "   mov %[o], %%cr0\n"
			     "2:\n"
			     _ASM_EXTABLE(1b, 2b)
			     : [f] "+m"(c.fault) : [v] "r"(val), [o] "r"(old) : "memory");
	} else {
		old = native_read_cr4();
		val = (old | c.set) & ~c.clear;
		asm volatile("1: mov %[v], %%cr4\n"
			     "   movl $0, %[f]\n"
			     "   mov %[o], %%cr4\n"
			     "2:\n"
			     _ASM_EXTABLE(1b, 2b)
			     : [f] "+m"(c.fault) : [v] "r"(val), [o] "r"(old) : "memory");
	}
	local_irq_restore(flags);
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static atomic_t nmis;

static int on_nmi(unsigned int cmd, struct pt_regs *regs)
{
	atomic_inc(&nmis);
	return NMI_HANDLED;
}

long atk_nmis(void __user *arg)
{
	u64 count;

	if (get_user(count, (u64 __user *)arg))
		return -EFAULT;
	atomic_set(&nmis, 0);
	if (register_nmi_handler(NMI_UNKNOWN, on_nmi, 0, "attack"))
		return -EBUSY;
	while (count--) {
		apic->send_IPI_mask(cpumask_of(raw_smp_processor_id()), NMI_VECTOR);
		cond_resched();
	}
	unregister_nmi_handler(NMI_UNKNOWN, "attack");
	count = atomic_read(&nmis);
	return put_user(count, (u64 __user *)arg);
}
