// SPDX-License-Identifier: GPL-2.0
/*
 * From non-root mode back to Linux in root mode, one CPU: the same for rmmod and
 * for a launch that another CPU could not complete.
 */
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/launch/launch.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/base/offsets.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/intercept/caps.h"
#include "vmx/base/x86.h"
#include "ept/owner.h"

#define PML4_SLOT	(UP_IMAGE_BASE >> 39 & 0x1ff)
#define PML5_SLOT	(UP_IMAGE_BASE >> 48 & 0x1ff)
#define GDT_COPY	256	/* Linux's has 16 entries of 8 bytes */
#define TSS_BUSY	BIT(41)

struct linux_state {
	u64 cr0, cr3, cr4, dr7, debugctl, sysenter[3], pat, fs_base, gs_base, perf_global;
	u16 es, ss, ds, fs, gs, ldt, tr;
	struct dtr gdt, idt;
};

static void read_state(struct percpu *cpu, struct linux_state *s, struct leave_frame *f)
{
	s->cr0 = guest_cr0();
	s->cr3 = vmread(VMCS_GUEST_CR3);
	s->cr4 = guest_cr4();
	s->dr7 = vmread(VMCS_GUEST_DR7);
	s->debugctl = vmread(VMCS_GUEST_DEBUGCTL);
	s->sysenter[0] = vmread(VMCS_GUEST_SYSENTER_CS);
	s->sysenter[1] = vmread(VMCS_GUEST_SYSENTER_ESP);
	s->sysenter[2] = vmread(VMCS_GUEST_SYSENTER_EIP);
	s->pat = vmread(VMCS_GUEST_PAT);
	s->perf_global = vmread(VMCS_GUEST_PERF_GLOBAL);
	s->fs_base = vmread(VMCS_GUEST_FS_BASE);
	s->gs_base = vmread(VMCS_GUEST_GS_BASE);
	s->es = (u16)vmread(VMCS_GUEST_ES_SEL);
	s->ss = (u16)vmread(VMCS_GUEST_SS_SEL);
	s->ds = (u16)vmread(VMCS_GUEST_DS_SEL);
	s->fs = (u16)vmread(VMCS_GUEST_FS_SEL);
	s->gs = (u16)vmread(VMCS_GUEST_GS_SEL);
	s->ldt = (u16)vmread(VMCS_GUEST_LDTR_SEL);
	s->tr = (u16)vmread(VMCS_GUEST_TR_SEL);
	s->gdt.base = vmread(VMCS_GUEST_GDTR_BASE);
	s->gdt.limit = (u16)vmread(VMCS_GUEST_GDTR_LIMIT);
	s->idt.base = vmread(VMCS_GUEST_IDTR_BASE);
	s->idt.limit = (u16)vmread(VMCS_GUEST_IDTR_LIMIT);

	memcpy(f->gpr, cpu->gpr, sizeof(f->gpr));
	f->rip = vmread(VMCS_GUEST_RIP) + vmread(VMCS_EXIT_INSN_LEN);
	f->rsp = vmread(VMCS_GUEST_RSP);
	f->rflags = vmread(VMCS_GUEST_RFLAGS);
}

/* A host that runs on a table of somebody else's cannot go on. */
static void copy_table(u64 *to, u64 entry)
{
	const void *theirs = host_byte(entry & MASK(51, 12));

	up_assert(theirs);
	memcpy(to, theirs, PAGE_SIZE);
}

/*
 * Linux's page table with the image's slot: both sides are mapped.  With 5 levels the
 * table below the top one is copied, too.  VMXON region and VMCS01 are not needed any
 * more after VMXOFF.
 */
static u64 joint_page_table(struct percpu *cpu, u64 cr3)
{
	u64 *joint = phys(cpu->vmxon_pa), *root = phys(up_config.root_cr3);

	copy_table(joint, cr3);
	if (read_cr4() & CR4_LA57) {
		u64 *slot = &joint[PML5_SLOT];

		joint = phys(cpu->vmcs01_pa);
		copy_table(joint, *slot);
		*slot = cpu->vmcs01_pa | (*slot & MASK(11, 0));
		root = phys(root[PML5_SLOT] & MASK(51, 12));
	}
	joint[PML4_SLOT] = root[PML4_SLOT];
	return cpu->vmxon_pa;
}

/* Linux's GDT is mapped read-only and its TSS is marked busy: load TR from a copy. */
static void load_task_register(const struct linux_state *s)
{
	u64 copy[GDT_COPY / 8];
	struct dtr tmp = { GDT_COPY - 1, (u64)copy };
	size_t len = (size_t)s->gdt.limit + 1;

	memcpy(copy, (const void *)s->gdt.base, len < GDT_COPY ? len : GDT_COPY);
	if (s->tr < GDT_COPY - 16)
		copy[s->tr / 8] &= ~TSS_BUSY;
	__asm__ __volatile__("lgdt %1; ltr %w2" : "+m"(copy) : "m"(tmp), "r"((u32)s->tr));
	__asm__ __volatile__("lgdt %0; lidt %1; lldt %w2"
			     : : "m"(s->gdt), "m"(s->idt), "r"((u32)s->ldt));
}

static void load_state(const struct linux_state *s)
{
	write_cr0(s->cr0);
	write_cr4(s->cr4 & ~CR4_CET);	/* root's IDT is in force still */
	wrmsr(MSR_PAT, s->pat);
	load_task_register(s);
	__asm__ __volatile__("mov %w0, %%es; mov %w1, %%ss; mov %w2, %%ds"
			     : : "r"((u32)s->es), "r"((u32)s->ss), "r"((u32)s->ds));
	__asm__ __volatile__("mov %w0, %%fs; mov %w1, %%gs"
			     : : "r"((u32)s->fs), "r"((u32)s->gs));
	wrmsr(MSR_FS_BASE, s->fs_base);
	wrmsr(MSR_GS_BASE, s->gs_base);
	wrmsr(MSR_SYSENTER_CS, s->sysenter[0]);
	wrmsr(MSR_SYSENTER_ESP, s->sysenter[1]);
	wrmsr(MSR_SYSENTER_EIP, s->sysenter[2]);
	wrmsr(MSR_DEBUGCTL, s->debugctl);
	if (caps_perf_global())
		wrmsr(MSR_PERF_GLOBAL_CTRL, s->perf_global);
	write_dr7(s->dr7);
	write_cr4(s->cr4);
}

void leave_cpu(struct percpu *cpu)
{
	struct leave_frame f;
	struct linux_state s;
	u64 joint;

	cpu->gpr[RAX] = 0;
	read_state(cpu, &s, &f);
	log_serial(true);
	up_log("leave: CPU %u", cpu->cpu);
	cpu->demoted = false;
	vmclear(cpu->vmcs01_pa);
	vmxoff();
	joint = joint_page_table(cpu, s.cr3);
	write_cr3(joint);
	/* From here on root's direct map is gone, and Linux is mapped. */
	load_state(&s);
	leave_jump(&f);
}
