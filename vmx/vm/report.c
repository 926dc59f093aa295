// SPDX-License-Identifier: GPL-2.0
/*
 * What the launch's key speaks for: the launch itself, and VMs.  A text that is signed is
 * made here from the first byte to the last, but for the asker's own, which have their place.
 */
#include "vmx/vm/report.h"
#include "vmx/vm/call.h"
#include "vmx/abi/errno.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "vmx/base/lib.h"
#include "vmx/cpu/speculation.h"
#include "vmx/sign/sha512.h"
#include "vmx/vm/guestmem.h"
#include "ept/owner.h"
#include "iommu/launch.h"

_Static_assert(sizeof(struct up_launch_statement) == 80, "docs/attestation.md");
_Static_assert(sizeof(struct up_vm_report) == 624, "docs/attestation.md");

static struct spinlock host_lock;	/* of KEY_HOST */

static u32 weaknesses(void)
{
	static const u32 iommu[] = {
		[UP_IOMMU_NONE] = UP_WEAK_NO_IOMMU, [UP_IOMMU_PARTIAL] = UP_WEAK_PART_IOMMU,
		[UP_IOMMU_FULL] = 0,
	};
	u32 flags = UP_WEAK_SMM | iommu[iommu_state()];

	if (speculation_smt())
		flags |= UP_WEAK_SMT;
	if (!up_config.pm1a_cnt)
		flags |= UP_WEAK_SLEEP;
	return flags;
}

static void fill_key(u8 key[32])
{
	const u8 *public = key_public();

	if (public)
		memcpy(key, public, 32);
}

/* The host's CPUs take turns: whoever comes second begins anew where the text differs. */
static long sign_for_host(const void *text, u32 len, u8 signature[64])
{
	long err = -UP_EAGAIN;

	if (spin_trylock(&host_lock)) {
		err = key_sign(KEY_HOST, text, len, signature);
		spin_unlock(&host_lock);
	}
	return err;
}

/* rbx: page with a nonce, to be filled */
long call_sign(struct percpu *cpu)
{
	struct up_launch_proof *page = host_page(cpu->gpr[RBX]), proof = {
		.statement = { .magic = UP_LAUNCH_MAGIC, .version = UP_LAUNCH_VERSION,
			       .flags = weaknesses() },
		.settings = launch_settings, .iommu = launch_iommu,
	};
	long err;

	if (!page)
		return -UP_EINVAL;
	memcpy(proof.statement.nonce, page->statement.nonce, sizeof(proof.statement.nonce));
	memcpy(proof.image_sha256, up_config.image_sha256, sizeof(proof.image_sha256));
	fill_key(proof.statement.key);
	err = sign_for_host(&proof.statement, sizeof(proof.statement), proof.signature);
	if (!err)
		memcpy(page, &proof, sizeof(proof));
	return err;
}

/* All but the asker's bytes.  Holds the VM's lock. */
static void fill_report(struct up_vm_report *r, const struct vm *vm, u32 vm_flags)
{
	*r = (struct up_vm_report){
		.magic = UP_VM_REPORT_MAGIC, .version = UP_VM_REPORT_VERSION,
		.flags = weaknesses(), .vm_flags = vm_flags | (vm->ghci ? UP_VM_GHCI : 0),
		.id = vm->own.id, .state = vm->own.state, .vcpus = vm->nvcpus,
		.reports = vm->reports, .frames_measured = vm->frames_measured,
	};
	fill_key(r->key);
	memcpy(r->measurement, vm->measurement, sizeof(r->measurement));
	memcpy(r->report, vm->report, sizeof(r->report));
	memcpy(r->rtmr, vm->rtmr, sizeof(r->rtmr));
}

/* rbx: id, rcx: page with the asker's bytes, to be filled */
long call_vm_report(struct percpu *cpu)
{
	struct up_vm_proof *page = host_page(cpu->gpr[RCX]), proof;
	struct vm *vm;
	long err;

	if (!page)
		return -UP_EINVAL;
	vm = vm_lock(cpu->gpr[RBX]);
	if (!vm)
		return -UP_ENOENT;
	fill_report(&proof.report, vm, 0);
	memcpy(proof.report.data, page->report.data, sizeof(proof.report.data));
	err = sign_for_host(&proof.report, sizeof(proof.report), proof.signature);
	vm_unlock(vm);
	if (!err)
		memcpy(page, &proof, sizeof(proof));
	return err;
}

long report_vm(struct vm *vm, u64 data, u64 to)
{
	struct up_vm_proof proof;
	long err;

	fill_report(&proof.report, vm, UP_VM_ASKED);
	if (!guest_read(vm, data, proof.report.data, sizeof(proof.report.data)))
		return -UP_EINVAL;
	err = key_sign(vm->own.id, &proof.report, sizeof(proof.report), proof.signature);
	if (!err && !guest_write(vm, to, &proof, sizeof(proof)))
		err = -UP_EINVAL;
	return err;
}

long report_extend(struct vm *vm, u64 index, u64 data)
{
	u8 *rtmr = vm->rtmr[index_below(index, UP_VM_RTMRS)], more[48];
	const struct span spans[] = { { rtmr, sizeof(more) }, { more, sizeof(more) } };

	if (index >= UP_VM_RTMRS || !guest_read(vm, data, more, sizeof(more)))
		return -UP_EINVAL;
	sha384(rtmr, spans, ARRAY_SIZE(spans));
	return 0;
}
