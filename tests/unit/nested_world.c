// SPDX-License-Identifier: GPL-2.0
/* The rest of the root image, for the tests of nested VMX: see nested_world.h. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nested_world.h"

/* vmx/cpu/event.c with two functions that tests watch. */
#define inject_exception real_inject_exception
#define inject_pf real_inject_pf
#include "vmx/cpu/event.c"
#undef inject_exception
#undef inject_pf
#include "vmx/intercept/port.h"
#include "vmx/cpu/root_state.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/intercept/msr.h"
#include "vmx/attest/challenge.h"
#include "vmx/vm/protect.h"
#include "ept/pool.h"

#define WEAK		__attribute__((weak))

bool w_usable[W_FRAMES];
u32 w_pool_used;
u64 w_pool_limit;
struct w_events ev;
static u64 pool_next, pool_list[W_FRAMES];
static u32 pool_free_count;

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

bool tickets_wanted(void)
{
	return false;
}

bool frame_host_usable(u64 pfn)
{
	return pfn < W_FRAMES && w_usable[pfn];
}

struct spinlock frames_lock;

void *host_pointer(u64 pfn, u64 offset)
{
	return frame_host_usable(pfn) ? phys(pfn << PAGE_SHIFT | offset) : NULL;
}

u64 table_alloc_kvm(void)
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

/* Launch has more than it needs. */
u64 pool_alloc(void)
{
	return table_alloc_kvm();
}

/* Both inject as the real ones do, and are remembered. */
void inject_exception(u32 vector, bool has_error, u32 error)
{
	ev.vector = vector;
	ev.error = has_error ? error : 0;
	real_inject_exception(vector, has_error, error);
}

void inject_pf(u64 cr2, u32 error)
{
	ev.cr2 = cr2;
	inject_exception(VEC_PF, true, error);
}

void root_state_init(struct percpu *cpu)
{
	vmwrite(VMCS_HOST_RIP, 0xffff800000001000);
	vmwrite(VMCS_HOST_GS_BASE, cpu->cpu + 1);
}

static struct vm_ept shadow;

struct vm_ept *shadow_get(u64 eptp12)
{
	shadow.root = eptp12 ^ 0x100000;
	return &shadow;
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
	up_config.maxphyaddr = W_MAXPHYADDR;
	up_config.vmcs_shadowing = w_shadowing();
	up_config.pm1a_cnt = 0x604;
	assert(!msr_init() && !port_init());
	w_reset_l1_memory();
	for (u32 i = n_cpus; i-- > 0;) {
		vmcs01 = W_POOL - (2 + 2 * i) * PAGE_SIZE;
		w_usable[vmcs01 >> PAGE_SHIFT] = false;
		w_start_l1(cpus[i], vmcs01);
	}
	assert(!caps_init());
	vvmcs_init();
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
	vmwrite(VMCS_EXIT_REASON, reason);
	if (fake_cpu->nested.in_vm) {
		nested_exit(fake_cpu, reason);
		return;
	}
	w_events_clear();
	nested_insn(fake_cpu, reason);
}
