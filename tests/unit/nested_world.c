// SPDX-License-Identifier: GPL-2.0
/* The rest of the root image, for the tests of nested VMX: see nested_world.h. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nested_world.h"
#include "vmx/host/io.h"
#include "vmx/launch/launch.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/intercept/msr.h"
#include "vmx/vm/protect.h"
#include "ept/pool.h"

#define WEAK		__attribute__((weak))

bool w_usable[W_FRAMES];
u32 w_pool_used;
u64 w_pool_limit;
struct w_events ev;
static u64 pool_next, pool_list[W_FRAMES];
static u32 pool_free_count;
static u64 host_msr_bitmap, host_io_bitmap[2];

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
	assert(!w_vmcs_active(pa));
	w_vmcs_forget(pa);
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

void w_init(u32 n_cpus)
{
	u64 vmcs01;

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
	for (u32 i = n_cpus; i-- > 0;) {
		vmcs01 = W_POOL - (2 + 2 * i) * PAGE_SIZE;
		w_usable[vmcs01 >> PAGE_SHIFT] = false;
		w_start_l1(cpus[i], vmcs01);
	}
	assert(!nested_init());
	w_events_clear();
}

void w_free(void)
{
	for (u32 i = 0; i < ncpus; i++) {
		w_use_cpu(i);
		nested_cpu_reset(fake_cpu);
	}
	w_vmx_reset();
	fake_free();
}

void w_events_clear(void)
{
	memset(&ev, 0, sizeof(ev));
	ev.vector = ~0u;
}

void w_root(u32 reason)
{
	if (fake_cpu->nested.in_vm) {
		nested_exit(fake_cpu, reason);
		return;
	}
	w_events_clear();
	nested_insn(fake_cpu, reason);
}
