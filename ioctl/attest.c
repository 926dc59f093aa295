// SPDX-License-Identifier: GPL-2.0
/* What the launch's key signs, from the layer to user space. */
#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include "call.h"
#include "vm.h"

static_assert(sizeof(struct up_settings) == sizeof_field(struct underpin_attest, settings));
static_assert(sizeof(struct up_vm_report) == sizeof_field(struct underpin_vm_report, report));
static_assert(sizeof(struct up_launch_proof) <= PAGE_SIZE);
static_assert(sizeof(struct up_vm_proof) <= PAGE_SIZE);

/* The layer has one signature for the host on its way: another question begins anew. */
static DEFINE_MUTEX(one_at_a_time);

static int sign(u64 op, u64 a, u64 b)
{
	struct up_retry r = { .what = "signing", .killable = true };
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
