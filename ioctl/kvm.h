/* SPDX-License-Identifier: GPL-2.0 */
/* The host's KVM, used only when a VM is to be protected: kvm.ko may be absent. */
#ifndef IOCTL_KVM_H
#define IOCTL_KVM_H

#include <linux/types.h>

struct kvm;
struct up_slot;

/**
 * up_kvm_get() - the KVM VM behind a file descriptor
 * @fd: of the calling process
 * @kvm: where to put it; the reference taken keeps it and kvm.ko
 *
 * Return: 0; -EBADF: not a KVM VM; -EOPNOTSUPP: kvm.ko is not loaded.
 */
int up_kvm_get(int fd, struct kvm **kvm);

/** up_kvm_put() - give up what up_kvm_get() took; may destroy the VM; may sleep */
void up_kvm_put(struct kvm *kvm);

/**
 * up_kvm_check_vcpus() - are these all the vCPUs of a VM, and has none run?
 * @kvm: the VM
 * @kvm_fd: its file descriptor
 * @fds: the vCPUs' file descriptors
 * @nr: how many
 *
 * Return: 0; -EBADF: not a vCPU of @kvm; -EXDEV: one is missing or named twice;
 * -EBUSY: one has run.
 */
int up_kvm_check_vcpus(struct kvm *kvm, int kvm_fd, const s32 *fds, unsigned int nr);

/**
 * up_kvm_bind_vcpu() - tell the layer which VMCS is a VM's vCPU
 * @kvm: the VM
 * @index: which vCPU of it
 * @id: the protected VM
 *
 * Return: 0; -EBUSY: it has run; -EINTR: fatal signal; -EAGAIN; the layer's error.
 */
long up_kvm_bind_vcpu(struct kvm *kvm, unsigned int index, u32 id);

/**
 * up_kvm_expel() - make the vCPUs of a killed VM leave KVM_RUN
 *
 * May sleep.  After a second or two it gives up.
 */
void up_kvm_expel(struct kvm *kvm);

/**
 * up_kvm_gather() - take the VMCSs of a VM's vCPUs to this CPU
 *
 * A VMCS can be forgotten only on the CPU that holds it.  May sleep, the caller
 * has disabled migration.  vCPUs that are in use are left where they are.
 */
void up_kvm_gather(struct kvm *kvm);

/**
 * up_kvm_slots() - copy a VM's memory slots, in ascending guest address
 * @kvm: the VM
 * @slots: where to put an array to be freed with kvfree()
 * @nr: where to put its length
 *
 * KVM's own slots (the APIC access page) are left out: they stay the host's.
 * Return: 0, -ENOMEM, or -EINVAL: no memory, or overlapping slots.
 */
int up_kvm_slots(struct kvm *kvm, struct up_slot **slots, unsigned int *nr);

/** up_kvm_mm() - the address space that the VM's memory is in; no reference taken */
struct mm_struct *up_kvm_mm(struct kvm *kvm);

/** up_kvm_pid() - the process that made the VM, in the initial PID namespace */
int up_kvm_pid(struct kvm *kvm);

#endif /* IOCTL_KVM_H */
