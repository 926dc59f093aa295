// SPDX-License-Identifier: GPL-2.0
/*
 * From Linux in root mode to Linux in non-root mode, one CPU (docs/architecture.md).
 */
#include "vmx/launch/launch.h"
#include "vmx/abi/errno.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/lock.h"
#include "vmx/base/log.h"
#include "vmx/base/offsets.h"
#include "vmx/base/sha256.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/root_state.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/intercept/caps.h"
#include "vmx/intercept/msr.h"
#include "vmx/intercept/port.h"
#include "vmx/nested/nested.h"
#include "vmx/vm/protect.h"
#include "vmx/vmcs/vvmcs.h"
#include "ept/flush.h"
#include "ept/host.h"
#include "ept/mtrr.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "iommu/launch.h"

_Static_assert(offsetof(struct percpu, gpr) == PERCPU_GPR(0), "offsets.h");
_Static_assert(offsetof(struct percpu, resume_launch) == PERCPU_RESUME_LAUNCH, "offsets.h");
_Static_assert(offsetof(struct percpu, nmi_pending) == PERCPU_NMI_PENDING, "offsets.h");
_Static_assert(offsetof(struct percpu, launch_regs) == PERCPU_LAUNCH_REGS, "offsets.h");
_Static_assert(sizeof(struct percpu) <= UP_CPU_DATA_SIZE, "struct percpu outgrew its area");

static u64 host_eptp;
static bool layer_ready;
static struct spinlock init_lock;

extern const char image_start[], image_bss[];

/*
 * Once, by whichever CPU comes first: the hash of what was loaded, then every
 * part that all CPUs share.
 */
static int layer_init(void)
{
	struct sha256 s;
	int err;

	if (up_config.cpus == 0 || up_config.cpus > UP_MAX_CPUS)
		return -UP_EINVAL;
	sha256_init(&s);
	sha256_update(&s, image_start, (size_t)(image_bss - image_start));
	sha256_final(&s, (u8 *)up_config.image_sha256);
	key_make();
	err = pool_init(&up_config);
	if (!err)
		err = frames_init(&up_config);
	if (!err)
		err = frames_init_devices(&up_config);
	if (err)
		return err;
	mtrr_init();
	host_eptp = host_ept_init();
	if (!host_eptp)
		return -UP_ENOMEM;
	err = msr_init();
	if (!err)
		err = port_init();
	if (!err)
		err = protect_init();
	if (!err)
		err = caps_init();
	if (err)
		return err;
	vvmcs_init();
	/* Last: from here on what fails has to give the units back. */
	err = iommu_init(&up_config);
	if (!err)
		pcr_init();
	return err;
}

static int layer_init_once(void)
{
	static int result;

	spin_lock(&init_lock);
	if (!layer_ready) {
		layer_ready = true;
		log_serial(true);
		result = layer_init();
		if (result)
			up_log("launch: initialisation failed: %d", result);
	}
	spin_unlock(&init_lock);
	return result;
}

/* Root's own GDT has Linux's selector numbers, so that a fault in between can return. */
static void init_tables(struct percpu *cpu)
{
	u64 tss = (u64)cpu->tss, area = (u64)cpu - UP_CPU_DATA_OFF, stub;
	u64 fault_top = area + UP_CPU_FAULT_OFF + UP_CPU_FAULT_SIZE;
	u32 i;

	cpu->gdt[ROOT_CS / 8] = 0x00af9b000000ffffULL;
	cpu->gdt[ROOT_DS / 8] = 0x00cf93000000ffffULL;
	cpu->gdt[ROOT_TR / 8] = (sizeof(cpu->tss) - 1) | (tss & 0xffffff) << 16 |
				0x8bULL << 40 | (tss >> 24 & 0xff) << 56;
	cpu->gdt[ROOT_TR / 8 + 1] = tss >> 32;
	memcpy(cpu->tss + 0x24, &fault_top, 8);		/* IST1 */

	for (i = 0; i < ARRAY_SIZE(cpu->idt); i++) {
		stub = i == VEC_NMI ? root_entries.nmi : root_entries.exceptions + 16 * i;
		cpu->idt[i].lo = (stub & 0xffff) | (u64)ROOT_CS << 16 | 0x8eULL << 40 |
				 (stub >> 16 & 0xffff) << 48;
		cpu->idt[i].hi = stub >> 32;
	}
	/* #DF and #MC: a stack of their own.  Needs TR, hence only after the first exit. */
	cpu->idt[VEC_DF].lo |= 1ULL << 32;
	cpu->idt[VEC_MC].lo |= 1ULL << 32;
}

/* What Linux goes on with, one row a field; segments besides. */
static const struct {
	u32 field;
	u32 offset;
} linux_fields[] = {
	{ VMCS_GUEST_GDTR_BASE, offsetof(struct up_linux, gdt_base) },
	{ VMCS_GUEST_GDTR_LIMIT, offsetof(struct up_linux, gdt_limit) },
	{ VMCS_GUEST_IDTR_BASE, offsetof(struct up_linux, idt_base) },
	{ VMCS_GUEST_IDTR_LIMIT, offsetof(struct up_linux, idt_limit) },
	{ VMCS_GUEST_CR0, offsetof(struct up_linux, cr0) },
	{ VMCS_CR0_SHADOW, offsetof(struct up_linux, cr0) },
	{ VMCS_GUEST_CR3, offsetof(struct up_linux, cr3) },
	{ VMCS_CR4_SHADOW, offsetof(struct up_linux, cr4) },
	{ VMCS_GUEST_DR7, offsetof(struct up_linux, dr7) },
	{ VMCS_GUEST_DEBUGCTL, offsetof(struct up_linux, debugctl) },
	{ VMCS_GUEST_EFER, offsetof(struct up_linux, efer) },
	{ VMCS_GUEST_PAT, offsetof(struct up_linux, pat) },
	{ VMCS_GUEST_SYSENTER_CS, offsetof(struct up_linux, sysenter_cs) },
	{ VMCS_GUEST_SYSENTER_ESP, offsetof(struct up_linux, sysenter_esp) },
	{ VMCS_GUEST_SYSENTER_EIP, offsetof(struct up_linux, sysenter_eip) },
};

/* The guest state of VMCS01, which is current: Linux behind its call of up_enter(). */
static void write_guest_state(struct percpu *cpu, const struct up_linux *s, u64 rip)
{
	const struct up_segment *seg = s->seg;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(s->seg); i++, seg++) {	/* encodings are 2 apart */
		vmwrite(VMCS_GUEST_ES_SEL + 2 * i, seg->sel);
		vmwrite(VMCS_GUEST_ES_BASE + 2 * i, seg->base);
		vmwrite(VMCS_GUEST_ES_LIMIT + 2 * i, seg->limit);
		vmwrite(VMCS_GUEST_ES_AR + 2 * i, seg->ar);
	}
	for (i = 0; i < ARRAY_SIZE(linux_fields); i++)
		vmwrite(linux_fields[i].field,
			*(const u64 *)((const u8 *)s + linux_fields[i].offset));
	vmwrite(VMCS_GUEST_CR4, s->cr4 | CR4_VMXE);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_PENDING_DBG, 0);
	vmwrite(VMCS_VMCS_LINK, ~0ULL);
	vmwrite(VMCS_GUEST_RIP, rip);
	vmwrite(VMCS_GUEST_RSP, cpu->launch_regs[7] + 8);
	vmwrite(VMCS_GUEST_RFLAGS, cpu->launch_regs[6]);
}

/* VMXON region and VMCS01: a frame each, revision id first (SDM vol. 3, 25.2). */
static int alloc_vmcs(struct percpu *cpu)
{
	u32 revision = (u32)rdmsr(MSR_VMX_BASIC) & 0x7fffffff;

	if (!cpu->vmxon_pa)
		cpu->vmxon_pa = pool_alloc();
	if (!cpu->vmcs01_pa)
		cpu->vmcs01_pa = pool_alloc();
	if (!cpu->vmxon_pa || !cpu->vmcs01_pa)
		return -UP_ENOMEM;
	*(u32 *)phys(cpu->vmxon_pa) = revision;
	*(u32 *)phys(cpu->vmcs01_pa) = revision;
	return 0;
}

static int enter_vmx(struct percpu *cpu)
{
	int err = alloc_vmcs(cpu);

	if (err)
		return err;
	write_cr4(read_cr4() | CR4_VMXE);
	if (vmxon(cpu->vmxon_pa)) {
		up_log("launch: CPU %u: VMXON failed", cpu->cpu);
		return -UP_EIO;
	}
	if (vmclear(cpu->vmcs01_pa) || vmptrld(cpu->vmcs01_pa)) {
		up_log("launch: CPU %u: VMCS01 refused", cpu->cpu);
		vmxoff();
		return -UP_EIO;
	}
	return vmcs01_init(cpu);
}

static int announce_cpu(struct percpu *cpu)
{
	if (cpu->cpu >= up_config.cpus)
		return -UP_EINVAL;
	cpu->self = cpu;
	spin_lock(&init_lock);
	cpus[cpu->cpu] = cpu;
	ncpus = up_config.cpus;
	spin_unlock(&init_lock);
	return 0;
}

/*
 * A CPU could not be demoted, and all will go back.  Who is demoted gives the units back as
 * it leaves (call_leave()); if nobody is, nobody will.
 */
static void give_units_back(void)
{
	bool demoted = false;
	u32 i;

	spin_lock(&init_lock);
	for (i = 0; i < ncpus; i++)
		demoted |= cpus[i] && READ_ONCE(cpus[i]->demoted);
	if (!demoted && !iommu_give())
		up_panic("launch: a VT-d unit cannot be given back");
	spin_unlock(&init_lock);
}

/* Under root's own page and descriptor tables.  Comes back on failure only. */
static int demote(struct percpu *cpu, const struct up_linux *s, u64 rip, u64 *detail)
{
	int err = layer_init_once();

	if (!err)
		err = announce_cpu(cpu);
	if (!err)
		err = enter_vmx(cpu);
	if (err)
		return err;
	nested_cpu_reset(cpu);
	vmwrite(VMCS_EPTP, host_eptp);
	write_guest_state(cpu, s, rip);
	up_log("launch: CPU %u (APIC %u): entering", cpu->cpu, cpu->apic_id);
	cpu->demoted = true;
	flush_this_cpu();
	launch_first_entry(cpu);
	cpu->demoted = false;
	*detail = vmread(VMCS_INSN_ERROR);
	up_log("launch: CPU %u: VMLAUNCH failed, VM-instruction error %lu", cpu->cpu, *detail);
	vmxoff();
	return -UP_EIO;
}

long launch_cpu(struct percpu *cpu, struct up_entry_state *st)
{
	struct dtr gdt = { sizeof(cpu->gdt) - 1, (u64)cpu->gdt };
	struct dtr idt = { sizeof(cpu->idt) - 1, (u64)cpu->idt };
	u64 cr3 = read_cr3(), gs_base = rdmsr(MSR_GS_BASE), detail = 0;
	u64 rip = *(const u64 *)cpu->launch_regs[7];
	struct up_linux s = st->linux_state;
	struct dtr linux_gdt = { (u16)s.gdt_limit, s.gdt_base };
	struct dtr linux_idt = { (u16)s.idt_limit, s.idt_base };
	int err;

	cpu->cpu = (u32)st->cpu;
	cpu->apic_id = (u32)st->apic_id;
	init_tables(cpu);
	/*
	 * NMIs cannot be held off.  Linux's handler needs all of Linux's state, root's needs
	 * only its stack and a code segment: root's IDT comes first and goes last.
	 */
	__asm__ __volatile__("lidt %0; lgdt %1" : : "m"(idt), "m"(gdt));
	wrmsr(MSR_GS_BASE, (u64)cpu);
	/* CET off: root has no ENDBR64 behind its IDT, and no shadow stack. */
	write_cr4(s.cr4 & ~CR4_PCIDE & ~CR4_PGE & ~CR4_CET);
	write_cr3(up_config.root_cr3);
	err = demote(cpu, &s, rip, &detail);
	give_units_back();
	key_erase();	/* this CPU's Linux reads all memory, also where others went on */
	write_cr3(cr3);
	write_cr4(s.cr4);
	wrmsr(MSR_GS_BASE, gs_base);
	__asm__ __volatile__("lgdt %0; lidt %1" : : "m"(linux_gdt), "m"(linux_idt));
	st->detail = detail;
	st->nmi = cpu->nmi_pending;
	return err;
}
