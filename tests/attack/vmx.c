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

void vmcall(struct atk_call *c)
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
	struct kvm_vcpu *vcpu = NULL;
	struct atk_call c;
	struct file *file;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.vcpu) {
		vcpu = vcpu_enter(c.vcpu - 1, &file);
		if (!vcpu)
			return -EBADF;
	}
	vmcall(&c);
	if (vcpu)
		vcpu_leave(vcpu, file);
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static u64 next_random(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/*
 * A frame: the VM's, the layer's, one of ours, or none that Linux uses.  Linux's
 * own are left out: giving those away hurts only ourselves.
 */
static u64 frame(struct atk_fuzz *f)
{
	static const u64 odd[] = {
		~0ULL, ~0ULL >> 12, 1ULL << 36, 1ULL << 40, (1ULL << 40) - 1, 1ULL << 52, 0xfee00,
		0xffff0, 1ULL << 63,
	};
	u64 r = next_random(&f->seed);

	if (r % 3)
		return f->pfns[(r >> 8) % ARRAY_SIZE(f->pfns)];
	return r % 2 ? f->scratch : odd[(r >> 8) % ARRAY_SIZE(odd)];
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
		return frame(f);
	case 2:
		return (r >> 8) % 64;
	}
	return next_random(&f->seed);
}

/* Donations, in a page that is ours. */
static void fill_scratch(struct atk_fuzz *f, bool numbers)
{
	u64 *page = __va(f->scratch << PAGE_SHIFT);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i += 2) {
		page[i] = i < 16 ? frame(f) : ~0ULL;
		page[i + 1] = i < 16 ? argument(f) : ~0ULL;
	}
	/* A list of plain page numbers has them at odd places, too. */
	for (i = 1; numbers && i < 16; i += 2)
		page[i] = frame(f);
}

/* Leaving and killing are no attacks but ends. */
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
		/* Where a call takes a page, it gets some frame. */
		c.rbx = (c.rax & 0xffff) < 0x10 ? frame(&f) : argument(&f);
		c.rcx = (c.rax & 0xffff) < 0x10 ? argument(&f) : frame(&f);
		c.rdx = argument(&f);
		c.rsi = argument(&f);
		/* A list is read: what other pages hold may be numbers of Linux's frames. */
		if ((c.rax & 0xffff) == 0x04 && c.rbx < 0xfee00)
			c.rbx = f.scratch;
		if ((c.rax & 0xffff) == 0x11 && c.rcx < 0xfee00)
			c.rcx = f.scratch;
		fill_scratch(&f, (c.rax & 0xffff) == 0x04);
		if (harmful(&c))
			continue;
		vmcall(&c);
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
#define OUT(x), x

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

static u32 vmptrld(u64 pa)
{
	u32 r;

	VMX_INSN(r, "vmptrld %[m]", NO_OUT, [m] "m"(pa));
	return r;
}

static u32 vmclear(u64 pa)
{
	u32 r;

	VMX_INSN(r, "vmclear %[m]", NO_OUT, [m] "m"(pa));
	return r;
}

/* The current VMCS is written back, and its frame's contents used from elsewhere. */
static u32 copy_vmcs(struct atk_vmx *v, void *copy)
{
	u64 pa = 0;
	u32 r;

	v->val = 0;
	VMX_INSN(r, "vmptrst %[m]", OUT([m] "+m"(pa)), "m"(pa));
	if (r != ATK_OK || vmclear(pa) != ATK_OK)
		return r;
	memcpy(copy, __va(pa), PAGE_SIZE);
	r = vmptrld(virt_to_phys(copy));
	if (r == ATK_OK) {
		do_vmread(v->arg, &v->val);
		vmclear(virt_to_phys(copy));
	}
	vmptrld(pa);
	return r;
}

/* The frame of the current VMCS, changed while it is not active. */
static u32 rewrite_vmcs(struct atk_vmx *v)
{
	u64 pa = 0, *word;
	u32 r;

	VMX_INSN(r, "vmptrst %[m]", OUT([m] "+m"(pa)), "m"(pa));
	if (r != ATK_OK || vmclear(pa) != ATK_OK)
		return r;
	/* Behind the revision and what the layer may know its own by. */
	for (word = __va(pa) + 16; (unsigned long)word % PAGE_SIZE; word++)
		*word = v->val;
	r = vmptrld(pa);
	v->val = 0;
	return r == ATK_OK ? do_vmread(v->arg, &v->val) : r;
}

/* On a processor that KVM has nothing loaded on. */
static u32 vmxon_at(u64 pa, void *page)
{
	u64 own = virt_to_phys(page);
	unsigned long flags;
	u32 r, again;

	*(u32 *)page = __rdmsr(MSR_IA32_VMX_BASIC);
	local_irq_save(flags);
	VMX_INSN(r, "vmxoff", NO_OUT, "m"(own));
	if (r == ATK_OK) {
		VMX_INSN(r, "vmxon %[m]", NO_OUT, [m] "m"(pa));
		if (r == ATK_OK)
			VMX_INSN(again, "vmxoff", NO_OUT, "m"(own));
		VMX_INSN(again, "vmxon %[m]", NO_OUT, [m] "m"(own));
	}
	local_irq_restore(flags);
	return r;
}

/* The memory operand itself lies at a physical address. */
static u32 operand_at(struct atk_vmx *v)
{
	u64 *at = __va(v->arg);
	u32 r = ATK_FAULT;

	switch (v->val) {
	case 0:
		VMX_INSN(r, "vmptrst %[m]", NO_OUT, [m] "m"(*at));
		break;
	case 1:
		VMX_INSN(r, "invept %[m], %[t]", NO_OUT, [m] "m"(*at), [t] "r"(2UL));
		break;
	case 2:
		VMX_INSN(r, "invvpid %[m], %[t]", NO_OUT, [m] "m"(*at), [t] "r"(2UL));
		break;
	case 3:
		VMX_INSN(r, "vmread %[f], %[m]", NO_OUT, [m] "m"(*at), [f] "r"(0x4400UL));
		break;
	case 4:
		VMX_INSN(r, "vmclear %[m]", NO_OUT, [m] "m"(*at));
		break;
	}
	return r;
}

static u32 write_all(struct atk_vmx *v)
{
	u64 field, old, now, val = v->val;
	u32 kind, n;

	v->val = 0;
	for (kind = 0; kind < 16; kind++)
		for (n = 0; n < 32; n++) {
			field = (kind >> 2) << 13 | (kind & 3) << 10 | n << 1;
			if (do_vmread(field, &old) != ATK_OK || do_vmwrite(field, val) != ATK_OK)
				continue;
			v->val += do_vmread(field, &now) == ATK_OK && now != old;
			do_vmwrite(field, old);
		}
	return ATK_OK;
}

static u32 one(struct atk_vmx *v, void *page)
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
		return vmptrld(pa);
	case ATK_VMCLEAR:
		return vmclear(pa);
	case ATK_VMCS_COPY:
		return copy_vmcs(v, page);
	case ATK_VMWRITE_ALL:
		return write_all(v);
	case ATK_VMCS_REWRITE:
		return rewrite_vmcs(v);
	case ATK_VMXON_AT:
		return vmxon_at(pa, page);
	case ATK_OPERAND_AT:
		return operand_at(v);
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
	void *page;
	u32 r;

	if (copy_from_user(&v, arg, sizeof(v)))
		return -EFAULT;
	page = frame_alloc();
	if (!page)
		return -ENOMEM;
	if (v.vcpu_fd >= 0)
		vcpu = vcpu_enter(v.vcpu_fd, &file);
	else
		preempt_disable();
	VMX_INSN(r, "vmptrst %[m]", OUT([m] "+m"(old)), "m"(old));
	v.result = one(&v, page);
	v.error = v.result == ATK_FAIL_VALID ? insn_error() : 0;
	/* KVM believes that its VMCS is the current one. */
	if (r == ATK_OK && old != ~0ULL && v.op == ATK_VMPTRLD)
		vmptrld(old);
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
