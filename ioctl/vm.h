/* SPDX-License-Identifier: GPL-2.0 */
/* A protected VM as the host side knows it. */
#ifndef IOCTL_VM_H
#define IOCTL_VM_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "underpin.h"

struct file;
struct kvm;

enum up_vm_phase {
	UP_VM_ENDED,		/* everything is back, or nothing was ever given */
	UP_VM_CREATED,		/* the layer has a slot for it; nothing was donated */
	UP_VM_PROTECTED,	/* measured */
	UP_VM_STUCK,		/* the layer kept something: frames stay pinned for good */
};

struct up_vm {
	struct kref ref;
	struct list_head node;		/* in the list of VMs; under that list's lock */
	u32 id;
	u32 flags;
	u32 vcpus;
	s32 pid;			/* who made the KVM VM */
	struct kvm *kvm;
	struct mm_struct *mm;		/* mm_count held, not mm_users */
	struct mmu_notifier notifier;
	struct work_struct end_work;
	bool ending;			/* long operations stop soon; read without lock */

	struct mutex lock;		/* the rest */
	enum up_vm_phase phase;
	struct list_head regions;	/* memory.c */
	u64 pinned;
	u64 aliases;
	u64 donated;
};

/* Where an operation failed: enum underpin_step and which. */
struct up_where {
	u32 step;
	u64 where;
};

/**
 * up_vm_create() - make a VM
 * @args: checked by the caller for flags and reserved fields; id is filled in
 * @fds: the vCPUs' file descriptors
 *
 * Return: a reference, or an error pointer (see UNDERPIN_VM_CREATE).
 */
struct up_vm *up_vm_create(struct underpin_vm_create *args, const s32 *fds);

/**
 * up_vm_protect() - pin, bind, donate, measure (protect.c)
 * @vm: the caller holds a reference
 * @args: results are filled in
 * @at: says where it failed
 *
 * Return: 0, or a negative error number with everything given back.
 */
int up_vm_protect(struct up_vm *vm, struct underpin_vm_protect *args, struct up_where *at);

/** up_vm_donate() - late frames; see UNDERPIN_VM_DONATE (protect.c) */
int up_vm_donate(struct up_vm *vm, struct underpin_vm_donate *args, struct up_where *at);

/**
 * up_vm_end() - end a VM, in whatever phase it is, and give everything back
 *
 * Waits for operations on the VM, which then end early.  May be called again.
 * Return: 0, or the error with which the layer refused to give frames back.
 */
int up_vm_end(struct up_vm *vm);

/** up_vm_closed() - the VM's last file descriptor is gone, and with it a reference */
void up_vm_closed(struct up_vm *vm);

/**
 * up_vm_info() - what the layer and the host side know of a VM (status.c)
 * @vm: the caller holds a reference
 */
int up_vm_info(struct up_vm *vm, struct underpin_vm_info *info);

/** up_status() - the layer's counters; see UNDERPIN_STATUS (status.c) */
int up_status(struct underpin_status *status);

/** up_attest() - the launch's key signs for a nonce; see UNDERPIN_ATTEST (attest.c) */
int up_attest(struct underpin_attest *attest);

/** up_vm_report() - it signs for a VM; see UNDERPIN_VM_REPORT (attest.c) */
int up_vm_report(struct underpin_vm_report *report);

/** up_challenge() - what a ticket has to name; see UNDERPIN_CHALLENGE (attest.c) */
int up_challenge(struct underpin_challenge *challenge);

/** up_vm_ticket() - for this VM; the caller holds a reference; see UNDERPIN_VM_TICKET (attest.c) */
int up_vm_ticket(struct up_vm *vm, const struct underpin_vm_ticket *ticket);

/** up_launch_info() - which image was launched, and the launch's nonce (status.c) */
int up_launch_info(struct underpin_launch *launch);

/** up_vm_find() - a reference to the VM with this id, or NULL */
struct up_vm *up_vm_find(u32 id);

/** up_vm_put() - give up a reference */
void up_vm_put(struct up_vm *vm);

/**
 * up_vm_list() - the ids of all VMs
 * @ids: room for @room numbers
 * Return: how many there are, which may be more than @room.
 */
unsigned int up_vm_list(u32 *ids, unsigned int room);

/** up_vms_init(), up_vms_exit() - the work queue that ends VMs whose process is gone */
int up_vms_init(void);
void up_vms_exit(void);

#endif /* IOCTL_VM_H */
