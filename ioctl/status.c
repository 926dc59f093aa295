// SPDX-License-Identifier: GPL-2.0
/* Counters of the layer and of its VMs, from its structures to user space's. */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/string.h>
#include "call.h"
#include "vm.h"

static_assert(UNDERPIN_EXIT_REASONS == UP_EXIT_REASONS);
static_assert(UNDERPIN_REPORTS == UP_VM_REPORTS);
static_assert(UNDERPIN_MAX_VCPUS == UP_VM_MAX_VCPUS);
static_assert(UNDERPIN_MAX_VMS == UP_MAX_VMS);
static_assert(sizeof(struct up_status) <= PAGE_SIZE);
static_assert(sizeof(struct up_vm_info) <= PAGE_SIZE);

static void copy_counters(struct underpin_cpu_status *to, const struct up_cpu_status *from)
{
	to->demoted = from->demoted;
	to->apic_id = from->apic_id;
	memcpy(to->exits_host, from->exits_host, sizeof(to->exits_host));
	memcpy(to->exits_vm, from->exits_vm, sizeof(to->exits_vm));
	to->transitions = from->transitions;
	to->nmi_in_root = from->nmi_in_root;
	to->flushes = from->flushes;
}

static void copy_status(struct underpin_status *to, const struct up_status *from)
{
	to->abi = from->abi;
	to->cpus = from->cpus;
	to->vms = from->vms;
	to->sealed = from->sealed;
	to->pool_frames = from->pool_frames;
	to->pool_free = from->pool_free;
	to->table_bytes = from->table_bytes;
	to->ram_frames = from->ram_frames;
	to->host_2m_frames = from->host_2m_frames;
	to->host_4k_frames = from->host_4k_frames;
	to->vm_frames = from->vm_frames;
	to->faults_injected = from->faults_injected;
	to->decoys = from->decoys;
	to->denied = from->denied;
	to->flush_epoch = from->flush_epoch;
	memcpy(to->image_sha256, from->image_sha256, sizeof(to->image_sha256));
}

int up_status(struct underpin_status *status)
{
	bool one = status->cpu != UNDERPIN_CPU_NONE;
	struct up_status *page = (struct up_status *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = up_vmcall(UP_CALL_STATUS, up_page_pfn(page), one ? status->cpu : 0, 0, NULL, NULL);
	if (!ret)
		copy_status(status, page);
	if (!ret && one)
		copy_counters(&status->counters, &page->cpu);
	free_page((unsigned long)page);
	return ret == -EINVAL ? -ENOENT : ret;
}

int up_launch_info(struct underpin_launch *launch)
{
	struct up_status *page = (struct up_status *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = up_vmcall(UP_CALL_STATUS, up_page_pfn(page), 0, 0, NULL, NULL);
	if (!ret) {
		memcpy(launch->image_sha256, page->image_sha256, sizeof(launch->image_sha256));
		memcpy(launch->nonce, page->launch_nonce, sizeof(launch->nonce));
		launch->asks_tickets = !!memchr_inv(page->settings.authority, 0,
						    sizeof(page->settings.authority));
	}
	free_page((unsigned long)page);
	return ret;
}

static void copy_info(struct underpin_vm_info *to, const struct up_vm_info *from)
{
	to->state = from->state;
	to->vcpus = from->vcpus;
	to->reports = from->reports;
	to->frames = from->frames;
	to->frames_shared = from->frames_shared;
	to->frames_measured = from->frames_measured;
	to->entries = from->entries;
	to->mismatches = from->mismatches;
	memcpy(to->measurement, from->measurement, sizeof(to->measurement));
	memcpy(to->report, from->report, sizeof(to->report));
	memcpy(to->death, from->death, sizeof(to->death));
	to->death[sizeof(to->death) - 1] = 0;
}

int up_vm_info(struct up_vm *vm, struct underpin_vm_info *info)
{
	struct up_vm_info *page = (struct up_vm_info *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = up_vmcall(UP_CALL_VM_INFO, vm->id, up_page_pfn(page), 0, NULL, NULL);
	if (!ret) {
		copy_info(info, page);
		info->pid = vm->pid;
		info->frames_pinned = READ_ONCE(vm->pinned);
	}
	free_page((unsigned long)page);
	return ret;
}
