// SPDX-License-Identifier: GPL-2.0
/* See root_world.h: the machine.  What is promised of it is in root_promises.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "root_promises.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/launch/launch.h"
#include "vmx/base/lib.h"
#include "vmx/intercept/msr.h"
#include "vmx/vm/protect.h"
#include "vmx/base/x86.h"
#include "vmx/exit/exit.h"
#include "vmx/intercept/caps.h"
#include "vmx/intercept/port.h"
#include "ept/flush.h"
#include "ept/host.h"
#include "ept/violation.h"
#include "ept/mtrr.h"
#include "ept/pool.h"
#include "ept/table.h"
#include "iommu/launch.h"

#define KVM_PT		3	/* frame of KVM's EPT: of the first 2 MiB */

struct r_source r_rdrand = { 1, 0x9e3779b97f4a7c15, 0 }, r_rdseed = { 2, 0x9e3779b97f4a7c15, 0 };
u64 r_tsc[CPUS] = { 1 << 20, 1 << 20 };
void (*r_on_leave)(void);

static struct regs regs[CPUS];
static u64 host_eptp;
static bool quiet;
static jmp_buf left_here;
static u64 answer[NR_GPRS];	/* registers behind the last exit */

void r_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("broken: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("\n", stderr);
	abort();
}

/* --- hardware that fake/vmx.c does not have -------------------------------- */

struct vm *r_vm(u64 id)
{
	struct vm *vm = vm_lock(id);

	if (vm)
		vm_unlock(vm);
	return vm;
}

struct regs *r_regs(u32 cpu)
{
	return &regs[cpu];
}

#define REG(name, lvalue) \
	u64 read_##name(void) { return lvalue; } \
	void write_##name(u64 val) { lvalue = val; }
REG(dr0, regs[fake_cpu->cpu].dr[0])
REG(dr1, regs[fake_cpu->cpu].dr[1])
REG(dr2, regs[fake_cpu->cpu].dr[2])
REG(dr3, regs[fake_cpu->cpu].dr[3])
REG(dr6, regs[fake_cpu->cpu].dr6)
REG(cr2, regs[fake_cpu->cpu].cr2)

u64 read_cr0(void)
{
	return 0x80010033;
}

u64 read_cr4(void)
{
	return 0x20e0;
}

u64 xgetbv(u32 reg)
{
	(void)reg;
	return regs[fake_cpu->cpu].xcr0;
}

void xsetbv(u32 reg, u64 val)
{
	(void)reg;
	regs[fake_cpu->cpu].xcr0 = val;
}

int xsetbv_safe(u32 reg, u64 val)
{
	if (!(val & 1))
		return -UP_EIO;
	xsetbv(reg, val);
	return 0;
}

void xsave64(void *area, u64 mask)
{
	(void)mask;
	memcpy(area, regs[fake_cpu->cpu].x, PAGE_SIZE);
}

void xrstor64(const void *area, u64 mask)
{
	w_step(W_XRSTOR, 0, mask);
	memcpy(regs[fake_cpu->cpu].x, area, PAGE_SIZE);
}

static bool take_word(struct r_source *source, u64 *word)
{
	if (source->dry) {
		source->dry--;
		return false;
	}
	*word = source->next;
	source->next += source->step;
	return true;
}

bool rdrand(u64 *word)
{
	return take_word(&r_rdrand, word);
}

bool rdseed(u64 *word)
{
	return take_word(&r_rdseed, word);
}

u64 rdtsc(void)
{
	return r_tsc[fake_cpu->cpu];
}

/* What assembly has: only the addresses matter. */
const char rdmsr_insn[1], wrmsr_insn[1], xsetbv_insn[1], msr_fault[1];

void vmexit_entry(void)
{
}

void leave_cpu(struct percpu *cpu)
{
	if (r_on_leave)
		r_on_leave();
	cpu->demoted = false;
	longjmp(left_here, 1);
}

/* --- launch --------------------------------------------------------------- */

/* KVM's tables map the first 2 MiB of every VM to host frames. */
static void kvm_tables(void)
{
	u64 *t = phys(W_EPTP & EPT_ADDR), gfn, i;

	for (i = 0; i < KVM_PT; i++)
		t[i * 512] = ((W_EPTP >> PAGE_SHIFT) + i + 1) << PAGE_SHIFT | EPT_RWX;
	for (gfn = 0; gfn < 512; gfn++)
		r_kvm_map(gfn, 64 + gfn % 64);
}

void r_kvm_map(u64 gfn, u64 pfn)
{
	u64 *pt = phys((W_EPTP & EPT_ADDR) + KVM_PT * PAGE_SIZE);

	if (r_hosts((W_EPTP >> PAGE_SHIFT) + KVM_PT))
		pt[gfn % 512] = pfn << PAGE_SHIFT | EPT_TYPE(6) | (pfn ? EPT_RWX : 0);
}

void r_start(u32 cpu)
{
	w_start_l1(cpus[cpu], cpus[cpu]->vmcs01_pa);
	vmwrite(VMCS_CR0_SHADOW, 0x80010033);
	vmwrite(VMCS_ENTRY_CTLS, vmread(VMCS_ENTRY_CTLS) | ENTRY_IA32E);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
}

static void start_cpu(u32 cpu)
{
	int err;

	cpus[cpu]->vmcs01_pa = pool_alloc();
	r_start(cpu);
	err = vmcs01_init(fake_cpu);
	r_expect(!err, "VMCS01: %d", err);
	vmwrite(VMCS_EPTP, host_eptp);
	flush_this_cpu();
	regs[cpu].xcr0 = 7;
}

__attribute__((weak)) void r_configure(void)
{
}

void r_init(void)
{
	static const struct up_range ram = { 0, RAM_END };
	static const struct up_range layer = { LAYER_START, LAYER_END };
	static const struct up_range pool = { LAYER_START + 1, LAYER_END };
	static const struct up_range device[] = {
		{ DEVICE, DEVICE_END },
		{ UP_TPM_KEPT >> PAGE_SHIFT, (UP_TPM_KEPT >> PAGE_SHIFT) + R_TPM_FRAMES },
		{ FAR_DEVICE, FAR_DEVICE + 1 },
	};
	u32 i;

	fake_init(RAM_END, TABLE_END, CPUS);
	up_config.cpus = CPUS;
	up_config.maxphyaddr = W_MAXPHYADDR;
	up_config.vmcs_shadowing = w_shadowing();
	up_config.table_frames = TABLE_END;
	up_config.ram_ranges = 1;
	up_config.ram = &ram;
	up_config.layer_chunks = 1;
	up_config.layer = &layer;
	up_config.pool_chunks = 1;
	up_config.pool = &pool;
	up_config.devices = ARRAY_SIZE(device);
	up_config.device = device;
	up_config.allow_no_iommu = 1;
	r_configure();
	w_msr[MSR_MTRR_DEF_TYPE] = 0x806;
	w_cpuid1[2] |= CPUID1_ECX_RDRAND;
	key_make();
	w_msr[MSR_PAT] = PAT_RESET;
	r_expect(!pool_init(&up_config) && !frames_init(&up_config) &&
		 !frames_init_devices(&up_config),
		 "memory");
	mtrr_init();
	host_eptp = host_ept_init();
	r_expect(host_eptp && !msr_init() && !port_init() && !protect_init() &&
		 !caps_init(), "launch");
	vvmcs_init();
	r_expect(!iommu_init(&up_config), "VT-d");
	pcr_init();
	for (i = CPUS; i-- > 0;)
		start_cpu(i);
	w_reset_l1_memory();
	*(u32 *)phys(R_VMCS12C) = W_REVISION;
	kvm_tables();
	promises_init(host_eptp & EPT_ADDR);
}

const u64 r_vmcs12[3] = { W_VMCS12, W_VMCS12B, R_VMCS12C };

long r_make_vm_of(u64 frames, u32 vcpus)
{
	u64 *list = phys(R_LISTS << PAGE_SHIFT), id, i;
	long err;

	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	err = r_call(UP_CALL_VM_CREATE, 0, 0, 0);
	id = r_answer(RBX);
	for (i = 0; i < frames; i++) {
		list[2 * i] = R_VM_PFN + i;
		list[2 * i + 1] = i;
	}
	err = err ? err : r_call(UP_CALL_VM_DONATE, id, R_LISTS, frames);
	for (i = vcpus; i-- > 0 && !err;) {
		w_insn_mem(EXIT_REASON_VMCLEAR, r_vmcs12[vcpus - 1 - i]);
		w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[vcpus - 1 - i]);
		w_fill_valid();
		err = r_call(UP_CALL_VM_BIND_VCPU, id, 0, 0);
	}
	if (vcpus > 1)
		w_insn_mem(EXIT_REASON_VMPTRLD, r_vmcs12[0]);
	do {
		r_flush_all();
		err = err && err != -UP_EAGAIN ? err : r_call(UP_CALL_VM_MEASURE, id, 0, 0);
	} while (err == -UP_EAGAIN);
	return err ? err : (long)id;
}

long r_make_vm(void)
{
	return r_make_vm_of(R_VM_FRAMES, 1);
}

/* --- events --------------------------------------------------------------- */

bool r_left(u32 cpu)
{
	return !cpus[cpu]->demoted;
}

bool r_hosts(u64 pfn)
{
	return pfn < RAM_END && (!frame_entry(pfn) || frame_is_hosts(pfn));
}

u64 r_host_frame(void)
{
	u64 pfn = RAM_END - 1;

	while (!frame_host_usable(pfn))
		pfn--;
	return pfn;
}

u64 r_answer(u32 reg)
{
	return answer[reg];
}

void r_quiet(bool on)
{
	quiet = on;
}

void w_root(u32 reason)
{
	vmwrite(VMCS_EXIT_REASON, reason);
	promises_exit();
	if (!setjmp(left_here))
		vm_exit(fake_cpu);
	memcpy(answer, fake_cpu->gpr, sizeof(answer));
	if (!quiet)
		promises_check();
}

void r_exit(u32 reason, u64 qual)
{
	if (fake_cpu->nested.in_vm)
		vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite(VMCS_EXIT_QUAL, qual);
	vmwrite(VMCS_EXIT_INSN_LEN, 2);
	vmwrite(VMCS_IDT_VECTORING_INFO, 0);
	w_root(reason);
}

void r_to_host(void)
{
	if (fake_cpu->nested.in_vm)
		r_exit(EXIT_REASON_EXTINT, 0);
	r_expect(!fake_cpu->nested.in_vm, "CPU %u: an interrupt does not reach the host",
		 fake_cpu->cpu);
}

void r_flush_all(void)
{
	u32 i, here = fake_cpu->cpu;

	for (i = 0; i < CPUS; i++) {
		w_use_cpu(i);
		if (!r_left(i) && !fake_cpu->parked) {
			r_to_host();
			r_exit(EXIT_REASON_CPUID, 0);
		}
	}
	w_use_cpu(here);
}

long r_call(u64 op, u64 b, u64 c, u64 d)
{
	u64 *gpr = fake_cpu->gpr, rip = vmread(VMCS_GUEST_RIP);
	bool guest = fake_cpu->nested.in_vm;
	struct up_before before;

	gpr[RAX] = op;
	gpr[RBX] = b;
	gpr[RCX] = c;
	gpr[RDX] = d;
	promises_before_call(&before);
	r_exit(EXIT_REASON_VMCALL, 0);
	if (r_left(fake_cpu->cpu) || fake_cpu->nested.in_vm != guest)
		return R_FAULT;
	if (vmread(VMCS_GUEST_RIP) == rip) {
		r_expect(vmread(VMCS_ENTRY_INTR_INFO) & INTR_VALID, "VMCALL %llx: no answer",
			 (unsigned long long)op);
		vmwrite(VMCS_ENTRY_INTR_INFO, 0);
		promises_after_call(&before, op, R_FAULT);
		return R_FAULT;
	}
	/* VMfail, which a host in VMX operation gets for what is no call, answers nothing. */
	if (vmread(VMCS_GUEST_RFLAGS) & (RFLAGS_CF | RFLAGS_ZF) && answer[RAX] == op) {
		promises_after_call(&before, op, R_FAULT);
		return R_FAULT;
	}
	promises_after_call(&before, op, (long)answer[RAX]);
	return (long)answer[RAX];
}

void r_host_touch(u64 pfn, u64 access, bool user)
{
	r_to_host();
	vmwrite(VMCS_GUEST_PHYS_ADDR, pfn << PAGE_SHIFT);
	vmwrite(VMCS_GUEST_LINEAR, user ? 0x7f0000000000 : 0xffff888000000000);
	r_exit(EXIT_REASON_EPT_VIOLATION, access | BIT(7) | BIT(8));
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
}

void r_vm_touch(u64 gfn, u64 access)
{
	if (!fake_cpu->nested.in_vm)
		return;
	vmwrite(VMCS_GUEST_PHYS_ADDR, gfn << PAGE_SHIFT);
	r_exit(EXIT_REASON_EPT_VIOLATION, access);
}

/* --- the end ---------------------------------------------------------------- */

static void reclaim_all(u64 id)
{
	long err;
	u32 i;

	for (i = 0; i < 10000; i++) {
		err = r_call(UP_CALL_VM_RECLAIM, id, r_host_frame(), 512);
		if (!err && !r_answer(RBX))
			return;
		r_expect(!err || err == -UP_EAGAIN, "reclaim of VM %llu: %ld",
			 (unsigned long long)id, err);
		if (err)
			r_flush_all();
	}
	r_fail("reclaiming VM %llu does not end", (unsigned long long)id);
}

static void end_vm(u64 id)
{
	u32 i;
	long err = r_call(UP_CALL_VM_KILL, id, 0, 0);

	r_expect(!err, "kill: %ld", err);
	reclaim_all(id);
	for (i = 0; i < 100 && (err = r_call(UP_CALL_VM_DESTROY, id, 0, 0)) == -UP_EAGAIN; i++)
		;
	r_expect(!err, "destroy VM %llu: %ld", (unsigned long long)id, err);
}

/* No CPU has a VMCS loaded: KVM is gone. */
static u32 leave_vmx(void)
{
	u32 i, live = CPUS;

	for (i = 0; i < CPUS; i++) {
		w_use_cpu(i);
		if (r_left(i))
			continue;
		if (!fake_cpu->parked) {
			r_to_host();
			r_exit(EXIT_REASON_INIT, 0);
		}
		r_exit(EXIT_REASON_SIPI, 8);
		r_start(i);
		live = i;
	}
	return live;
}

int r_forget(void **state)
{
	(void)state;
	w_vmx_reset();
	fake_free();
	return 0;
}

u32 r_end_vms(void)
{
	u32 id, live = leave_vmx();
	u64 pfn;

	if (live == CPUS)
		return live;
	w_use_cpu(live);
	for (id = 0; id < UP_MAX_VMS; id++)
		if (r_vm(id))
			end_vm(id);
	for (pfn = 0; pfn < RAM_END; pfn++)
		r_expect(FRAME_OWNER(frame_entry(pfn)) < OWNER_VM0, "frame %llx is lost",
			 (unsigned long long)pfn);
	return live;
}

int r_end_and_forget(void **state)
{
	r_end_vms();
	return r_forget(state);
}

void r_end(void)
{
	long err;

	if (r_end_vms() == CPUS)
		return;
	err = r_call(UP_CALL_LEAVE_PREPARE, 1, 0, 0);
	r_expect(!err, "leaving refused: %ld", err);
	promises_end();
}
