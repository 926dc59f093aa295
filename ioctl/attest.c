// SPDX-License-Identifier: GPL-2.0
/* What the launch's key signs, from the layer to user space; and the other way, tickets. */
#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include "call.h"
#include "vm.h"

static_assert(sizeof(struct up_settings) == sizeof_field(struct underpin_attest, settings));
static_assert(sizeof(struct up_vm_report) == sizeof_field(struct underpin_vm_report, report));
static_assert(sizeof(struct up_ticket) == sizeof_field(struct underpin_vm_ticket, ticket));
static_assert(sizeof(struct up_launch_proof) <= PAGE_SIZE);
static_assert(sizeof(struct up_vm_proof) <= PAGE_SIZE);

/* The layer has one signature for the host on its way: another question begins anew. */
static DEFINE_MUTEX(one_at_a_time);

static int in_pieces(u64 op, u64 a, u64 b)
{
	struct up_retry r = { .what = "signatures", .killable = true };
	int ret;

	ret = mutex_lock_killable(&one_at_a_time);
	if (ret)
		return ret;
	do {
		long done = up_vmcall(op, a, b, 0, NULL, NULL);

		if (!done)
			break;
		ret = up_retry(&r, done, true);
	} while (!ret);
	mutex_unlock(&one_at_a_time);
	return ret;
}

static int sign(u64 op, u64 a, u64 b)
{
	int ret = in_pieces(op, a, b);

	return ret == -EPERM ? -EOPNOTSUPP : ret;
}

int up_attest(struct underpin_attest *attest)
{
	struct up_launch_proof *page = (struct up_launch_proof *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!page)
		return -ENOMEM;
	memcpy(page->statement.nonce, attest->nonce, sizeof(attest->nonce));
	ret = sign(UP_CALL_SIGN, up_page_pfn(page), 0);
	if (!ret) {
		attest->weaknesses = page->statement.flags;
		attest->iommu = page->iommu;
		memcpy(attest->image_sha256, page->image_sha256, sizeof(attest->image_sha256));
		memcpy(attest->settings, &page->settings, sizeof(attest->settings));
		memcpy(attest->key, page->statement.key, sizeof(attest->key));
		memcpy(attest->signature, page->signature, sizeof(attest->signature));
	}
	free_page((unsigned long)page);
	return ret;
}

int up_vm_report(struct underpin_vm_report *report)
{
	struct up_vm_proof *page = (struct up_vm_proof *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!page)
		return -ENOMEM;
	memcpy(page->report.data, report->data, sizeof(report->data));
	ret = sign(UP_CALL_VM_REPORT, report->id, up_page_pfn(page));
	if (!ret) {
		memcpy(report->report, &page->report, sizeof(report->report));
		memcpy(report->signature, page->signature, sizeof(report->signature));
	}
	free_page((unsigned long)page);
	return ret;
}

int up_challenge(struct underpin_challenge *challenge)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = up_vmcall(UP_CALL_CHALLENGE, up_page_pfn(page), 0, 0, NULL, NULL);
	if (!ret)
		memcpy(challenge->challenge, page, sizeof(challenge->challenge));
	free_page((unsigned long)page);
	return ret == -EPERM ? -EOPNOTSUPP : ret;
}

static int bring(struct up_vm *vm, const void *page)
{
	int ret;

	if (vm->phase != UP_VM_CREATED)
		return vm->phase == UP_VM_PROTECTED ? -EALREADY : -ESTALE;
	ret = in_pieces(UP_CALL_VM_TICKET, vm->id, up_page_pfn(page));
	return ret == -EPERM ? -EACCES : ret;
}

int up_vm_ticket(struct up_vm *vm, const struct underpin_vm_ticket *ticket)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!page)
		return -ENOMEM;
	memcpy(page, ticket->ticket, sizeof(ticket->ticket));
	mutex_lock(&vm->lock);
	ret = bring(vm, page);
	mutex_unlock(&vm->lock);
	free_page((unsigned long)page);
	return ret;
}
