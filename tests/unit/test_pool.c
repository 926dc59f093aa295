// SPDX-License-Identifier: GPL-2.0
/*
 * No frame is to be had, at every place that asks for one: the whole root image runs,
 * root_promises.c looks on, and no VMCS is ever current but the one that was loaded.
 *
 * What happens is always the same; the nth allocation fails, alone or with all after it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "root_world.h"
#include "ept/pool.h"
#include "vmx/base/x86.h"

#define R	1		/* EPT_R */
#define MAX	2000		/* allocations; there are some 30 */

static u32 asked, fails_from, fails_to;

static bool has_one(void)
{
	asked++;
	return asked < fails_from || asked > fails_to;
}

#define WRAP(name) \
	u64 __real_##name(void); \
	u64 __wrap_##name(void); \
	u64 __wrap_##name(void) { return has_one() ? __real_##name() : 0; }
WRAP(pool_alloc)
WRAP(pool_alloc_kvm)
WRAP(pool_alloc_reserve)

/* Either this VMCS is current, or none; and fields that it has not are nobody's. */
static bool load(u64 pa)
{
	u64 val, mark = pa ^ 0x5a5a;

	r_to_host();
	if (w_insn_mem(EXIT_REASON_VMPTRLD, pa) == W_SUCCEED) {
		r_expect(fake_cpu->nested.current && fake_cpu->nested.current->pa == pa,
			 "VMPTRLD of %llx: another is current", (unsigned long long)pa);
		return true;
	}
	r_expect(!fake_cpu->nested.current, "VMPTRLD of %llx fails, and %llx is current",
		 (unsigned long long)pa, (unsigned long long)fake_cpu->nested.current->pa);
	r_expect(w_vmwrite(VMCS_GUEST_RIP, mark) == W_FAIL_INVALID &&
		 w_vmread(VMCS_GUEST_RIP, &val) == W_FAIL_INVALID &&
		 w_enter(true) == W_FAIL_INVALID, "no VMCS, and it is there");
	return false;
}

static void write_field(u32 enc, u64 val)
{
	w_vmwrite(enc, val);
}

/* KVM runs a vCPU; it does not care whether anything worked. */
static void run(u64 pa, u32 touches)
{
	u32 i;

	if (!load(pa))
		return;
	w_vmwrite(VMCS_ENTRY_MSR_LOAD_ADDR, W_MSR_LIST);
	w_vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	if (w_enter(true) != W_ENTERED && !fake_cpu->nested.in_vm)
		w_enter(false);
	for (i = 0; i < touches; i++)
		r_vm_touch(i, R);
	r_to_host();
}

static void start(u64 pa)
{
	r_to_host();
	w_insn_mem(EXIT_REASON_VMXON, W_VMXON);
	w_insn_mem(EXIT_REASON_VMCLEAR, pa);
	if (!load(pa))
		return;
	r_quiet(true);
	w_valid_fields(write_field);
	r_quiet(false);
}

/* As the host side does: what failed for want of frames is called again after a gift. */
static long call(u64 op, u64 b, u64 c, u64 d)
{
	u64 *list = phys((R_LISTS + 1) << PAGE_SHIFT);
	long err = r_call(op, b, c, d);

	if (err != -UP_ENOMEM)
		return err;
	list[0] = r_host_frame();
	err = r_call(UP_CALL_POOL_DONATE, R_LISTS + 1, 1, 0);
	r_expect(!err, "donating to the pool: %ld", err);
	r_flush_all();
	return r_call(op, b, c, d);
}

static void protect(u64 pa)
{
	u64 i, id, *list = phys(R_LISTS << PAGE_SHIFT);

	start(pa);
	if (call(UP_CALL_VM_CREATE, 0, 0, 0))
		return;
	id = r_answer(RBX);
	for (i = 0; i < 4; i++) {
		list[2 * i] = 100 + i;
		list[2 * i + 1] = i << 9 * (i % 3);	/* in tables of their own */
	}
	for (i = 0; i < 4; i++) {
		memmove(list, list + (i ? 2 : 0), (4 - i) * 16);
		call(UP_CALL_VM_DONATE, id, R_LISTS, 1);
	}
	load(pa);
	call(UP_CALL_VM_BIND_VCPU, id, 0, 0);
	r_flush_all();
	for (i = 0; i < 8 && r_call(UP_CALL_VM_MEASURE, id, 0, 0) == -UP_EAGAIN; i++)
		r_flush_all();
	run(pa, 3);
	if (load(pa) && w_enter(false) == W_ENTERED) {
		r_call(UP_GUEST_SHARE, 0, 1, 0);
		r_call(UP_GUEST_UNSHARE, 0, 1, 0);
	}
	r_to_host();
}

static void everything(void)
{
	u64 pfn;

	w_use_cpu(0);
	start(W_VMCS12);
	start(W_VMCS12B);
	run(W_VMCS12, 4);
	run(W_VMCS12B, 4);
	w_use_cpu(1);
	start(R_VMCS12C);
	run(R_VMCS12C, 2);
	w_use_cpu(0);
	run(W_VMCS12, 2);
	w_insn_mem(EXIT_REASON_VMCLEAR, W_VMCS12B);
	protect(W_VMCS12B);
	for (pfn = 96; pfn < RAM_END; pfn += 64)
		r_host_touch(pfn, R, pfn & 64);
	r_host_touch(100, R, false);		/* the VM's: a decoy */
	run(W_VMCS12, 2);
	run(W_VMCS12B, 2);
	r_end();
}

/* Return: false when nothing failed any more. */
static bool attempt(u32 from, u32 to)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		asked = 0;
		fails_from = from;
		fails_to = to;
		everything();
		_exit(asked < from);
	}
	r_expect(waitpid(pid, &status, 0) == pid, "waitpid");
	if (!WIFEXITED(status)) {
		printf("not ok - allocation %u of those to %u fails\n", from, to);
		exit(1);
	}
	return !WEXITSTATUS(status);
}

int main(void)
{
	u32 n;

	fails_from = MAX;
	fails_to = 0;
	r_init();
	*(u32 *)phys(W_MSR_LIST) = MSR_KERNEL_GS_BASE;
	for (n = 1; attempt(n, n); n++)
		r_expect(n < MAX, "it does not end");
	printf("ok 1 - one of %u allocations fails, each in turn\n", n - 1);
	for (n = 1; attempt(n, MAX); n++)
		r_expect(n < MAX, "it does not end");
	printf("ok 2 - from one of %u allocations on all fail\n1..2\n", n - 1);
	return 0;
}
