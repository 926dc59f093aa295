// SPDX-License-Identifier: GPL-2.0
/*
 * VMCALL by the demoted host's ring 0.  The host is the adversary here: every
 * argument is copied once (the registers are a copy already), checked, used.
 */
#include "vmx/host/host.h"
#include "vmx/abi/call.h"
#include "vmx/abi/errno.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/cpu/event.h"
#include "vmx/launch/launch.h"
#include "vmx/vm/call.h"
#include "vmx/vm/vm.h"
#include "ept/flush.h"
#include "ept/grow.h"
#include "ept/owner.h"
#include "ept/stats.h"
#include "ept/transition.h"
#include "iommu/fault.h"
#include "iommu/launch.h"

#define LIST_MAX	(PAGE_SIZE / 8)

static void fill_cpu(struct up_cpu_status *out, const struct percpu *c)
{
	out->demoted = c->demoted;
	out->apic_id = c->apic_id;
	memcpy(out->exits_host, c->exits_host, sizeof(out->exits_host));
	memcpy(out->exits_vm, c->exits_vm, sizeof(out->exits_vm));
	out->transitions = c->transitions;
	out->nmi_in_root = c->nmi_in_root;
	out->flushes = c->flushes;
}

/* rbx: page to fill, rcx: CPU number */
static long call_status(struct percpu *cpu)
{
	struct up_status *out = host_page(cpu->gpr[RBX]);
	u64 n = cpu->gpr[RCX];
	const struct percpu *c = n < ncpus ? cpus[index_below(n, ncpus)] : NULL;

	_Static_assert(sizeof(struct up_status) <= PAGE_SIZE, "fits a page");
	if (!out || !c)
		return -UP_EINVAL;
	memset(out, 0, sizeof(*out));
	out->abi = UP_ABI_VERSION;
	out->cpus = ncpus;
	out->vms = vms_count();
	out->denied = denied_count();
	memcpy(out->image_sha256, up_config.image_sha256, 32);
	key_nonce(out->launch_nonce);
	if (key_public()) {
		memcpy(out->launch_key, key_public(), 32);
		out->has_key = 1;
	}
	pcr_status(out);
	out->settings = launch_settings;
	faults_report();
	out->iommu = iommu_state();
	out->iommu_reason = iommu_reason();
	out->iommu_units = nunits;
	out->iommu_faults = faults_seen();
	out->allow_no_iommu = up_config.allow_no_iommu;
	ept_stats(out);
	fill_cpu(&out->cpu, c);
	return 0;
}

/*
 * NMIs on the way would meet neither Linux's state nor root's.  With NMIs blocked the VM
 * exit keeps them blocked, and after VMXOFF the processor holds one until Linux's IRET: the
 * host calls again, blocked.  One that arrives before that is delivered, and unblocks.
 */
static bool nmis_blocked(void)
{
	u64 blocking = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, blocking | BLOCKED_BY_NMI);
	return blocking & BLOCKED_BY_NMI;
}

static long call_leave(struct percpu *cpu)
{
	long err = 0;

	spin_lock(&vms_lock);
	if (!vms_closed())
		err = -UP_EBUSY;
	else if (cpu->nested.vmxon)
		err = -UP_EPERM;	/* kvm_intel is in VMX operation here */
	else if (!nmis_blocked())
		err = -UP_EAGAIN;
	else if (!iommu_give())
		err = -UP_EIO;
	else
		cpu->demoted = false;	/* from here on no VM can be made */
	spin_unlock(&vms_lock);
	if (err)
		return err;
	key_erase();	/* before all else: from here on the host reads all memory */
	leave_cpu(cpu);
}

/* rbx: 1 prepare, 0 go on after all */
static long call_leave_prepare(struct percpu *cpu)
{
	u64 on = cpu->gpr[RBX];

	return on > 1 ? -UP_EINVAL : vms_close(on);
}

/* rbx: 1 the end, 0 the launch */
static long call_tpm(struct percpu *cpu)
{
	u64 end = cpu->gpr[RBX];
	bool closed;

	if (end > 1)
		return -UP_EINVAL;
	spin_lock(&vms_lock);
	closed = vms_closed();
	spin_unlock(&vms_lock);
	return end && !closed ? -UP_EBUSY : pcr_extend(end);
}

/* -> rbx: the epoch that this CPU has reached, rcx: frames that the pool wants */
static long call_flush(struct percpu *cpu)
{
	cpu->gpr[RBX] = flush_epoch();
	flush_this_cpu();
	cpu->gpr[RCX] = pool_wanted();
	return 0;
}

/* rbx: page, rcx: position -> rbx: bytes, rcx: next position */
static long call_log(struct percpu *cpu)
{
	void *page = host_page(cpu->gpr[RBX]);
	u64 pos = cpu->gpr[RCX];

	if (!page)
		return -UP_EINVAL;
	faults_report();
	/* The host listens now: a byte on the serial line takes longer than an exit may. */
	log_serial(false);
	cpu->gpr[RBX] = log_read(&pos, page, PAGE_SIZE);
	cpu->gpr[RCX] = pos;
	return 0;
}

/* rbx: list of pfns, rcx: count -> rbx: done */
static long call_pool_donate(struct percpu *cpu)
{
	const u64 *list = host_page(cpu->gpr[RBX]);
	u64 count = cpu->gpr[RCX], i, pfn;
	long err = 0;

	if (!list || count > LIST_MAX)
		return -UP_EINVAL;
	for (i = 0; i < count && !err; i++) {
		pfn = READ_ONCE(list[index_below(i, LIST_MAX)]);	/* as in call_vm_donate() */
		err = pfn == cpu->gpr[RBX] ? -UP_EINVAL : host_donate_layer(pfn);
		if (err)
			break;
	}
	cpu->gpr[RBX] = i;
	return err;
}

static const struct {
	u32 op;
	long (*fn)(struct percpu *cpu);
} calls[] = {
#define UP_HOST_OP(name, number, fn) { UP_CALL_##name, fn },
#define UP_GUEST_OP(name, number, fn)
#include "vmx/abi/calls.h"
};

void up_call(struct percpu *cpu)
{
	long result = -UP_ENOSYS;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].op == cpu->gpr[RAX]) {
			result = calls[i].fn(cpu);
			break;
		}
	if (result < 0 && result != -UP_EAGAIN)
		note_denied();
	cpu->gpr[RAX] = (u64)result;
	step_over();
}
