// SPDX-License-Identifier: GPL-2.0
/* A CPU with VMCSs and a demoted host: the hardware of the nested-VMX tests. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nested_world.h"
#include "../../vmx/io.h"
#include "../../vmx/launch.h"
#include "../../vmx/lib.h"
#include "../../vmx/log.h"
#include "../../vmx/msr.h"
#include "../../vmx/protect.h"
#include "../../ept/pool.h"

#define WEAK		__attribute__((weak))
#define MAX_VMCS	64
#define FIELDS		0x8000

/* Hardware VMCSs.  A field that was never written reads as 0. */
static struct hw_vmcs {
	u64 pa;
	u64 *f;
	u32 active_on;		/* CPU + 1 */
} hw[MAX_VMCS];
static struct hw_vmcs *current[UP_MAX_CPUS];

bool w_usable[W_FRAMES];
u64 w_msr[0x4000];
u32 w_pool_used;
u64 w_pool_limit;
struct w_events ev;
static u64 pool_next, pool_list[W_FRAMES];
static u32 pool_free_count;
static u64 host_msr_bitmap, host_io_bitmap[2];

static struct hw_vmcs *find(u64 pa)
{
	u32 i;

	for (i = 0; i < MAX_VMCS && hw[i].pa && hw[i].pa != pa; i++)
		;
	assert(i < MAX_VMCS);
	if (!hw[i].pa) {
		hw[i].pa = pa;
		hw[i].f = calloc(FIELDS, sizeof(u64));
	}
	return &hw[i];
}

int vmclear(u64 pa)
{
	struct hw_vmcs *v = find(pa);

	assert(v->active_on == 0 || v->active_on == fake_cpu->cpu + 1);
	v->active_on = 0;
	if (current[fake_cpu->cpu] == v)
		current[fake_cpu->cpu] = NULL;
	return 0;
}

int vmptrld(u64 pa)
{
	struct hw_vmcs *v = find(pa);

	/* Two CPUs with one VMCS corrupt it on real hardware. */
	assert(v->active_on == 0 || v->active_on == fake_cpu->cpu + 1);
	v->active_on = fake_cpu->cpu + 1;
	current[fake_cpu->cpu] = v;
	return 0;
}

u64 vmread(u32 field)
{
	assert(current[fake_cpu->cpu] && field < FIELDS);
	return current[fake_cpu->cpu]->f[field];
}

int vmwrite(u32 field, u64 val)
{
	assert(current[fake_cpu->cpu] && field < FIELDS);
	current[fake_cpu->cpu]->f[field] = val;
	return 0;
}

u64 w_vmcs(u64 pa, u32 field)
{
	return find(pa)->f[field];
}

void w_set_vmcs(u64 pa, u32 field, u64 val)
{
	find(pa)->f[field] = val;
}

u64 w_current_pa(void)
{
	return current[fake_cpu->cpu] ? current[fake_cpu->cpu]->pa : 0;
}

u64 w_vmcs02(void)
{
	return fake_cpu->nested.current->vmcs02_pa;
}

int fake_invept(u64 type, u64 eptp)
{
	(void)type;
	(void)eptp;
	return 0;
}

int fake_invvpid(u64 type, u16 vpid, u64 gla)
{
	(void)type;
	(void)gla;
	ev.invvpids++;
	ev.last_invvpid = vpid;
	return 0;
}

/* A Haswell's capabilities, with some features that must not be passed on. */
static u64 capability(u32 msr)
{
	switch (msr) {
	case MSR_IA32_FEATURE_CONTROL: return 5;
	case MSR_IA32_VMX_BASIC: return W_REVISION | 0x400ULL << 32 | 6ULL << 50 | 3ULL << 54;
	case MSR_IA32_VMX_TRUE_PINBASED: return 0x000000ff00000016;
	case MSR_IA32_VMX_TRUE_PROCBASED: return 0xfff9fffe04006172;
	case MSR_IA32_VMX_PROCBASED2: return 0x07ffffff00000000;
	case MSR_IA32_VMX_TRUE_EXIT: return 0x03ffffff00036dfb;
	case MSR_IA32_VMX_TRUE_ENTRY: return 0x0007ffff000011fb;
	case MSR_IA32_VMX_MISC: return 0x300481e5;
	case MSR_IA32_VMX_CR0_FIXED0: return 0x80000021;
	case MSR_IA32_VMX_CR0_FIXED1: return 0xffffffff;
	case MSR_IA32_VMX_CR4_FIXED0: return 0x2000;
	case MSR_IA32_VMX_CR4_FIXED1: return 0x3727ff;
	case MSR_IA32_VMX_EPT_VPID_CAP: return 0xf0106734141;
	}
	return 0;
}

static u64 *msr_slot(u32 msr)
{
	if (msr < 0x2000)
		return &w_msr[msr];
	if (msr >= 0xc0000000 && msr < 0xc0002000)
		return &w_msr[0x2000 + (msr & 0x1fff)];
	return NULL;
}

u64 rdmsr(u32 msr)
{
	return capability(msr);
}

int rdmsr_safe(u32 msr, u64 *val)
{
	u64 *slot = msr_slot(msr);

	if (!slot)
		return -UP_EIO;
	*val = *slot;
	return 0;
}

int wrmsr_safe(u32 msr, u64 val)
{
	u64 *slot = msr_slot(msr);

	if (!slot)
		return -UP_EIO;
	*slot = val;
	return 0;
}

void cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
	(void)subleaf;
	memset(r, 0, 16);
	if (leaf == 0x80000008)
		r[0] = 48 << 8 | W_MAXPHYADDR;
}

/* The rest of the root image, reduced to what can be seen. */
void up_log(const char *fmt, ...)
{
	va_list ap;

	if (!getenv("TEST_LOG"))
		return;
	va_start(ap, fmt);
	fputs("# ", stdout);
	vprintf(fmt, ap);
	puts("");
	va_end(ap);
}

bool frame_host_usable(u64 pfn)
{
	return pfn < W_FRAMES && w_usable[pfn];
}

u64 pool_alloc(void)
{
	u64 pa;

	if (w_pool_used >= w_pool_limit)
		return 0;
	w_pool_used++;
	pa = pool_free_count ? pool_list[--pool_free_count] : pool_next;
	if (pa == pool_next)
		pool_next += PAGE_SIZE;
	assert(pa < fake_ram_size);
	memset(phys(pa), 0, PAGE_SIZE);
	return pa;
}

void pool_free(u64 pa)
{
	assert(pa >= W_POOL && pa < pool_next && !(pa & 0xfff));
	/* A VMCS that hardware may still write must not be reused. */
	assert(!find(pa)->active_on);
	memset(find(pa)->f, 0, FIELDS * sizeof(u64));
	memset(phys(pa), 0xa5, PAGE_SIZE);
	pool_list[pool_free_count++] = pa;
	w_pool_used--;
}

void advance_rip(void)
{
	vmwrite(VMCS_GUEST_RIP, vmread(VMCS_GUEST_RIP) + vmread(VMCS_EXIT_INSN_LEN));
}

void inject_exception(u32 vector, bool has_error, u32 error)
{
	ev.vector = vector;
	ev.error = has_error ? error : 0;
	vmwrite(VMCS_ENTRY_INTR_INFO, vector | 3 << 8 | INTR_VALID);
}

void inject_pf(u64 cr2, u32 error)
{
	ev.cr2 = cr2;
	inject_exception(VEC_PF, true, error);
}

void reinject_vectoring(void)
{
	vmwrite(VMCS_ENTRY_INTR_INFO, vmread(VMCS_IDT_VECTORING_INFO));
}

void host_preemption_timer(struct percpu *cpu)
{
	cpu->nmi_deferred = false;
	cpu->nmi_pending = 1;
}

/* MSRs 0x79, 0x1a6 and the VMX MSRs may no VM touch; port 0x604 neither. */
bool msr_vm_must_intercept(u32 msr, bool write)
{
	(void)write;
	return msr == 0x79 || msr == 0x1a6 || (msr >= 0x480 && msr <= 0x491);
}

void msr_bitmap_set_floor(u8 *bitmap)
{
	for (u32 msr = 0; msr < 0x2000; msr++)
		if (msr_vm_must_intercept(msr, false)) {
			bitmap[msr / 8] |= (u8)(1 << msr % 8);
			bitmap[2048 + msr / 8] |= (u8)(1 << msr % 8);
		}
}

u64 msr_bitmap_host(void)
{
	return host_msr_bitmap;
}

u64 io_bitmap_host(u32 half)
{
	return host_io_bitmap[half & 1];
}

void vmcs_init_host_state(struct percpu *cpu)
{
	vmwrite(VMCS_HOST_RIP, 0xffff800000001000);
	vmwrite(VMCS_HOST_GS_BASE, cpu->cpu + 1);
}

static u64 shadow_eptp;

struct vm_ept *shadow_get(u64 eptp12)
{
	shadow_eptp = eptp12 ^ 0x100000;
	return (struct vm_ept *)&shadow_eptp;
}

u64 vm_ept_eptp(const struct vm_ept *t)
{
	(void)t;
	return shadow_eptp;
}

void vm_ept_prepare(struct vm_ept *t)
{
	assert(t);
}

enum ept_result vm_ept_violation(struct vm_ept *t, u64 eptp12, u64 gpa, u64 *qual)
{
	assert(t && eptp12 && gpa);
	*qual |= BIT(60);
	return ev.ept_result;
}

void shadow_invept(u64 type, u64 eptp12)
{
	(void)type;
	(void)eptp12;
	ev.shadow_invepts++;
}

void shadow_cpu_off(void)
{
}

WEAK int protect_entry(struct percpu *cpu, struct vvmcs *vv)
{
	(void)cpu;
	(void)vv;
	return -UP_EPERM;
}

WEAK bool protect_exit(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	(void)cpu;
	(void)vv;
	(void)reason;
	return false;
}

WEAK void protect_reflect(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	(void)cpu;
	(void)vv;
	(void)reason;
}

WEAK void protect_entry_failed(struct percpu *cpu, struct vvmcs *vv)
{
	(void)cpu;
	(void)vv;
}

/* L1's page tables: the first 2 MiB by 4 KiB pages, identity, accessed and dirty. */
static void map_l1(void)
{
	u64 *pml4 = phys(W_CR3), *pdpt = phys(0x2000), *pd = phys(0x3000), *pt = phys(0x4000);

	pml4[0] = 0x2000 | 0x27;
	pdpt[0] = 0x3000 | 0x27;
	pd[0] = 0x4000 | 0x27;
	for (u64 i = 0; i < 512; i++)
		pt[i] = i << 12 | 0x63;
	/* The page after the operands' is elsewhere: an access across both is two. */
	pt[(W_OPERAND >> 12) + 1] = W_SCRATCH | 0x63;
}

void w_reset_l1_memory(void)
{
	memset(phys(0), 0, W_VMFRAME);
	map_l1();
	*(u32 *)phys(W_VMXON) = W_REVISION;
	*(u32 *)phys(W_VMCS12) = W_REVISION;
	*(u32 *)phys(W_VMCS12B) = W_REVISION;
	memset(phys(W_MSR_BITMAP), 0xff, PAGE_SIZE);
}

static void start_host(struct percpu *cpu)
{
	u64 pa = W_POOL - (2 + 2 * cpu->cpu) * PAGE_SIZE;

	fake_cpu = cpu;
	cpu->vmcs01_pa = pa;
	w_usable[pa >> PAGE_SHIFT] = false;
	vmptrld(pa);
	vmwrite(VMCS_GUEST_CR0, 0x80010033);
	vmwrite(VMCS_GUEST_CR3, W_CR3);
	vmwrite(VMCS_GUEST_CR4, 0x20a0 | X86_CR4_SMAP);
	vmwrite(VMCS_CR4_SHADOW, 0x20a0 | X86_CR4_SMAP);
	vmwrite(VMCS_GUEST_EFER, 0xd01);
	vmwrite(VMCS_GUEST_PAT, 0x0007040600070406);
	vmwrite(VMCS_GUEST_RIP, 0xffffffff81000000);
	vmwrite(VMCS_GUEST_RSP, 0x8000);
	vmwrite(VMCS_GUEST_RFLAGS, 2);
	vmwrite(VMCS_GUEST_CS_AR, 0xa09b);
	vmwrite(VMCS_GUEST_SS_AR, 0xc093);
}

void w_init(u32 n_cpus)
{
	fake_init(W_FRAMES, W_FRAMES, n_cpus);
	memset(w_usable, 1, sizeof(w_usable));
	for (u64 pfn = W_POOL >> PAGE_SHIFT; pfn < W_FRAMES; pfn++)
		w_usable[pfn] = false;
	w_usable[W_VMFRAME >> PAGE_SHIFT] = false;
	pool_next = W_POOL;
	pool_free_count = 0;
	w_pool_used = 0;
	w_pool_limit = 1000;
	host_msr_bitmap = pool_alloc();
	host_io_bitmap[0] = pool_alloc();
	host_io_bitmap[1] = pool_alloc();
	((u8 *)phys(host_io_bitmap[0]))[0x604 / 8] |= 1 << 0x604 % 8;
	w_reset_l1_memory();
	for (u32 i = n_cpus; i-- > 0;)
		start_host(cpus[i]);
	assert(!nested_init());
	w_events_clear();
}

void w_free(void)
{
	for (u32 i = 0; i < ncpus; i++) {
		w_use_cpu(i);
		nested_cpu_reset(fake_cpu);
	}
	for (u32 i = 0; i < MAX_VMCS; i++)
		free(hw[i].f);
	memset(hw, 0, sizeof(hw));
	memset(current, 0, sizeof(current));
	fake_free();
}

void w_use_cpu(u32 n)
{
	fake_cpu = cpus[n];
}

void w_events_clear(void)
{
	memset(&ev, 0, sizeof(ev));
	ev.vector = ~0u;
}

enum w_outcome w_insn(u32 reason, u32 info, u64 disp)
{
	u64 vmcs01 = fake_cpu->vmcs01_pa, rip = w_vmcs(vmcs01, VMCS_GUEST_RIP), flags;

	w_events_clear();
	vmwrite(VMCS_EXIT_INSN_INFO, info);
	vmwrite(VMCS_EXIT_QUAL, disp);
	vmwrite(VMCS_EXIT_INSN_LEN, W_INSN_LEN);
	nested_insn(fake_cpu, reason);
	if (fake_cpu->nested.in_vm)
		return W_ENTERED;
	assert(w_current_pa() == vmcs01);
	if (ev.vector != ~0u) {
		assert(vmread(VMCS_GUEST_RIP) == rip);
		vmwrite(VMCS_ENTRY_INTR_INFO, 0);
		return W_FAULT;
	}
	if (vmread(VMCS_GUEST_RIP) == rip)
		return W_RETRY;
	if (vmread(VMCS_GUEST_RIP) != rip + W_INSN_LEN)
		return W_EXITED;
	flags = vmread(VMCS_GUEST_RFLAGS);
	return flags & X86_RFLAGS_CF ? W_FAIL_INVALID : flags & X86_RFLAGS_ZF ? W_FAIL_VALID
									      : W_SUCCEED;
}

/* [disp], no base, no index, DS, 64-bit address */
#define INFO_MEM	(BIT(27) | BIT(22) | 3 << 15 | 2 << 7)

enum w_outcome w_insn_mem(u32 reason, u64 operand)
{
	*(u64 *)phys(W_OPERAND) = operand;
	return w_insn(reason, INFO_MEM, W_OPERAND);
}

/* Register forms: field in rcx, value in rbx. */
#define INFO_REG	(BIT(10) | RBX << 3 | (u32)RCX << 28)

enum w_outcome w_vmread(u32 enc, u64 *val)
{
	enum w_outcome o;

	fake_cpu->gpr[RCX] = enc;
	o = w_insn(EXIT_REASON_VMREAD, INFO_REG, 0);
	*val = fake_cpu->gpr[RBX];
	return o;
}

enum w_outcome w_vmwrite(u32 enc, u64 val)
{
	fake_cpu->gpr[RCX] = enc;
	fake_cpu->gpr[RBX] = val;
	return w_insn(EXIT_REASON_VMWRITE, INFO_REG, 0);
}

u64 w_read(u32 enc)
{
	u64 val;
	enum w_outcome o = w_vmread(enc, &val);

	assert(o == W_SUCCEED);
	return val;
}

void w_write(u32 enc, u64 val)
{
	enum w_outcome o = w_vmwrite(enc, val);

	assert(o == W_SUCCEED);
}

u32 w_insn_error(void)
{
	return (u32)w_read(VMCS_INSN_ERROR);
}

void w_vmxon(void)
{
	enum w_outcome o = w_insn_mem(EXIT_REASON_VMXON, W_VMXON);

	assert(o == W_SUCCEED);
}

void w_load(u64 pa)
{
	enum w_outcome o = w_insn_mem(EXIT_REASON_VMCLEAR, pa);

	assert(o == W_SUCCEED);
	o = w_insn_mem(EXIT_REASON_VMPTRLD, pa);
	assert(o == W_SUCCEED);
}

/* Beyond what is here a VMCS12 may be all zero. */
void w_valid_fields(void (*write)(u32 enc, u64 val))
{
	static const struct { u32 enc; u64 val; } field[] = {
		{ VMCS_PIN_CTLS, 0x16 | PIN_EXTINT_EXITING | PIN_NMI_EXITING },
		{ VMCS_CPU_CTLS, 0x04006172 | CPU_HLT_EXITING | CPU_MSR_BITMAPS | CPU_TPR_SHADOW |
				 CPU_UNCOND_IO_EXITING | CPU_SECONDARY_CTLS },
		{ VMCS_CPU2_CTLS, CPU2_EPT | CPU2_VPID | CPU2_UNRESTRICTED | CPU2_APIC_ACCESSES },
		{ VMCS_EXIT_CTLS, 0x00036fff | EXIT_LOAD_PAT | EXIT_LOAD_EFER },
		{ VMCS_ENTRY_CTLS, 0x000011ff | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER | ENTRY_IA32E },
		{ VMCS_EPTP, W_EPTP },
		{ VMCS_VPID, 7 },
		{ VMCS_MSR_BITMAP, W_MSR_BITMAP },
		{ VMCS_VIRTUAL_APIC_ADDR, W_VAPIC },
		{ VMCS_APIC_ACCESS_ADDR, W_APIC_ACCESS },
		{ VMCS_VMCS_LINK, ~0ULL },
		{ VMCS_HOST_CR0, 0x80010033 },
		{ VMCS_HOST_CR3, W_CR3 },
		{ VMCS_HOST_CR4, 0x20a0 },
		{ VMCS_HOST_EFER, 0xd01 },
		{ VMCS_HOST_PAT, 0x0007040600070406 },
		{ VMCS_HOST_CS_SEL, 0x10 },
		{ VMCS_HOST_SS_SEL, 0x18 },
		{ VMCS_HOST_TR_SEL, 0x40 },
		{ VMCS_HOST_GS_BASE, 0xffff888000001000 },
		{ VMCS_HOST_RIP, 0xffffffff82000000 },
		{ VMCS_HOST_RSP, 0xffffc90000001000 },
		{ VMCS_GUEST_EFER, 0x500 },
		{ VMCS_GUEST_PAT, 0x0007040600070406 },
		{ VMCS_GUEST_CR0, 0x80000031 },
		{ VMCS_GUEST_CR4, 0x2020 },
		{ VMCS_GUEST_RIP, 0x1000 },
		{ VMCS_GUEST_RFLAGS, 2 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(field); i++)
		write(field[i].enc, field[i].val);
}

void w_fill_valid(void)
{
	w_valid_fields(w_write);
}

enum w_outcome w_enter(bool launch)
{
	/* Not where the last exit left it: the outcome is told by RIP. */
	vmwrite(VMCS_GUEST_RIP, 0xffffffff81000000);
	return w_insn(launch ? EXIT_REASON_VMLAUNCH : EXIT_REASON_VMRESUME, 0, 0);
}

void w_exit(u32 reason)
{
	assert(fake_cpu->nested.in_vm);
	vmwrite(VMCS_EXIT_REASON, reason);
	/* Hardware takes an event's valid bit at every exit (section 28.2). */
	if (!(reason & EXIT_ENTRY_FAILURE))
		vmwrite(VMCS_ENTRY_INTR_INFO, vmread(VMCS_ENTRY_INTR_INFO) & ~INTR_VALID);
	nested_exit(fake_cpu, reason);
	assert(w_current_pa() == (fake_cpu->nested.in_vm ? w_vmcs02() : fake_cpu->vmcs01_pa));
}
