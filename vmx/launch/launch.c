// SPDX-License-Identifier: GPL-2.0
/*
 * From Linux in root mode to Linux in non-root mode, one CPU (design, section 3).
 */
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/base/ring.h"
#include "vmx/base/cpus.h"
#include "vmx/nested/nested.h"
#include "vmx/base/offsets.h"
#include "vmx/launch/launch.h"
#include "vmx/intercept/msr.h"
#include "vmx/vm/protect.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/base/x86.h"
#include "vmx/base/sha256.h"
#include "ept/ept.h"
#include "ept/flush.h"
#include "ept/mtrr.h"
#include "ept/pool.h"

_Static_assert(offsetof(struct percpu, gpr) == PERCPU_GPR(0), "offsets.h");
_Static_assert(offsetof(struct percpu, resume_launch) == PERCPU_RESUME_LAUNCH, "offsets.h");
_Static_assert(offsetof(struct percpu, nmi_pending) == PERCPU_NMI_PENDING, "offsets.h");
_Static_assert(offsetof(struct percpu, launch_regs) == PERCPU_LAUNCH_REGS, "offsets.h");
_Static_assert(sizeof(struct percpu) <= UP_CPU_DATA_SIZE, "struct percpu outgrew its area");

struct up_config up_config;
struct percpu *cpus[UP_MAX_CPUS];
u32 ncpus;

static u64 host_eptp;
static bool layer_ready;
static struct spinlock init_lock;

extern const char image_start[], image_bss[];
extern const char exception_stubs[];

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
	err = pool_init(&up_config);
	if (!err)
		err = frames_init(&up_config);
	if (err)
		return err;
	mtrr_init();
	host_eptp = host_ept_init();
	if (!host_eptp)
		return -UP_ENOMEM;
	err = msr_init();
	if (!err)
		err = protect_init();
	if (!err)
		err = nested_init();
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
		stub = i == 2 ? (u64)nmi_entry : (u64)exception_stubs + 16 * i;
		cpu->idt[i].lo = (stub & 0xffff) | (u64)ROOT_CS << 16 | 0x8eULL << 40 |
				 (stub >> 16 & 0xffff) << 48;
		cpu->idt[i].hi = stub >> 32;
	}
	/* #DF and #MC: a stack of their own.  Needs TR, hence only after the first exit. */
	cpu->idt[8].lo |= 1ULL << 32;
	cpu->idt[18].lo |= 1ULL << 32;
}

/* Linux's state as it calls us, read while its memory is mapped. */
struct capture {
	struct {
		u16 sel;
		u32 ar, limit;
		u64 base;
	} seg[8];		/* ES CS SS DS FS GS LDTR TR: order of the VMCS */
	struct dtr gdt, idt;
	u64 cr3, cr4, rip;
};

static void capture_segment(struct capture *c, u32 i, u16 sel, u64 base)
{
	u32 ar = 0, limit = 0;

	if (sel & ~3u) {
		__asm__("lar %1, %0" : "=r"(ar) : "r"((u32)sel));
		__asm__("lsl %1, %0" : "=r"(limit) : "r"((u32)sel));
		ar = ar >> 8 & 0xf0ff;
	} else {
		ar = SEG_AR_UNUSABLE;
	}
	c->seg[i].sel = sel;
	c->seg[i].base = base;
	c->seg[i].limit = limit;
	c->seg[i].ar = ar;
}

/* Base of a 16-byte system descriptor in Linux's GDT. */
static u64 system_base(const struct dtr *gdt, u16 sel)
{
	const u64 *d;

	if (!(sel & ~7u))
		return 0;
	d = (const u64 *)(gdt->base + (sel & ~7u));
	return (d[0] >> 16 & 0xffffff) | (d[0] >> 56) << 24 | d[1] << 32;
}

#define READ_SEG(name) \
	({ \
		u16 sel_; \
		__asm__ __volatile__("mov %%" #name ", %0" : "=r"(sel_)); \
		sel_; \
	})

static void capture_linux(struct capture *c, struct percpu *cpu, const struct up_entry_state *st)
{
	u16 ldt, tr;

	__asm__ __volatile__("sgdt %0" : "=m"(c->gdt));
	__asm__ __volatile__("sidt %0" : "=m"(c->idt));
	__asm__ __volatile__("sldt %0" : "=r"(ldt));
	__asm__ __volatile__("str %0" : "=r"(tr));
	capture_segment(c, 0, READ_SEG(es), 0);
	capture_segment(c, 1, READ_SEG(cs), 0);
	capture_segment(c, 2, READ_SEG(ss), 0);
	capture_segment(c, 3, READ_SEG(ds), 0);
	capture_segment(c, 4, READ_SEG(fs), rdmsr(MSR_FS_BASE));
	capture_segment(c, 5, READ_SEG(gs), rdmsr(MSR_GS_BASE));
	capture_segment(c, 6, ldt, system_base(&c->gdt, ldt));
	capture_segment(c, 7, tr, system_base(&c->gdt, tr));
	c->cr3 = st->host_cr3;
	c->cr4 = read_cr4();
	/* Go on behind the call of up_enter(). */
	c->rip = *(const u64 *)cpu->launch_regs[7];
	cpu->cpu = (u32)st->cpu;
}

/* ... and made the guest state of VMCS01, which is current. */
static void write_guest_state(struct percpu *cpu, const struct capture *c)
{
	u32 i;

	for (i = 0; i < 8; i++) {	/* encodings of one group are 2 apart */
		vmwrite(VMCS_GUEST_ES_SEL + 2 * i, c->seg[i].sel);
		vmwrite(VMCS_GUEST_ES_BASE + 2 * i, c->seg[i].base);
		vmwrite(VMCS_GUEST_ES_LIMIT + 2 * i, c->seg[i].limit);
		vmwrite(VMCS_GUEST_ES_AR + 2 * i, c->seg[i].ar);
	}
	vmwrite(VMCS_GUEST_GDTR_BASE, c->gdt.base);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, c->gdt.limit);
	vmwrite(VMCS_GUEST_IDTR_BASE, c->idt.base);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, c->idt.limit);

	vmwrite(VMCS_GUEST_CR0, read_cr0());
	vmwrite(VMCS_GUEST_CR3, c->cr3);
	vmwrite(VMCS_GUEST_CR4, c->cr4 | CR4_VMXE);
	vmwrite(VMCS_CR0_SHADOW, read_cr0());
	vmwrite(VMCS_CR4_SHADOW, c->cr4);
	vmwrite(VMCS_GUEST_DR7, read_dr7());
	vmwrite(VMCS_GUEST_DEBUGCTL, rdmsr(MSR_DEBUGCTL));
	vmwrite(VMCS_GUEST_SYSENTER_CS, rdmsr(MSR_SYSENTER_CS));
	vmwrite(VMCS_GUEST_SYSENTER_ESP, rdmsr(MSR_SYSENTER_ESP));
	vmwrite(VMCS_GUEST_SYSENTER_EIP, rdmsr(MSR_SYSENTER_EIP));
	vmwrite(VMCS_GUEST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_GUEST_PAT, rdmsr(MSR_PAT));
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_PENDING_DBG, 0);
	vmwrite(VMCS_VMCS_LINK, ~0ULL);
	vmwrite(VMCS_GUEST_RIP, c->rip);
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
	cpu->apic_id = up_config.apic_id[cpu->cpu];
	spin_lock(&init_lock);
	cpus[cpu->cpu] = cpu;
	ncpus = up_config.cpus;
	spin_unlock(&init_lock);
	return 0;
}

/* Under root's own page and descriptor tables.  Comes back on failure only. */
static int demote(struct percpu *cpu, const struct capture *c, u64 *detail)
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
	write_guest_state(cpu, c);
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
	struct capture c;
	int err;

	capture_linux(&c, cpu, st);
	init_tables(cpu);
	wrmsr(MSR_GS_BASE, (u64)cpu);
	write_cr4(c.cr4 & ~CR4_PCIDE & ~CR4_PGE);
	write_cr3(up_config.root_cr3);
	__asm__ __volatile__("lgdt %0; lidt %1" : : "m"(gdt), "m"(idt));
	err = demote(cpu, &c, &detail);
	write_cr3(cr3);
	write_cr4(c.cr4);
	__asm__ __volatile__("lgdt %0; lidt %1" : : "m"(c.gdt), "m"(c.idt));
	wrmsr(MSR_GS_BASE, gs_base);
	st->detail = detail;
	return err;
}
