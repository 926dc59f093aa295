/* SPDX-License-Identifier: GPL-2.0 */
/* A VM's file descriptors in the process that owns it. */
#ifndef USERSPACE_PROCFD_H
#define USERSPACE_PROCFD_H

#include <stddef.h>
#include <sys/types.h>
#include "ioctl/underpin.h"

/* Descriptors, in another process or copied to this one; -1: none. */
struct kvm_fds {
	int vm;
	unsigned int vcpus;
	int vcpu[UNDERPIN_MAX_VCPUS];
};

/** procfd_link_vcpu() - the number N of a link "anon_inode:kvm-vcpu:N", or -1 */
int procfd_link_vcpu(const char *link);

/**
 * procfd_find() - the descriptors of a process's only KVM VM and its vCPUs
 * @pid: the process
 * @fds: numbers in that process, vCPUs in order
 * @why: filled with the reason and the cure if it fails
 *
 * Return: 0 or -1.
 */
int procfd_find(pid_t pid, struct kvm_fds *fds, char *why, size_t len);

/**
 * procfd_copy() - copies in this process of what procfd_find() finds
 * @pidfd: a pidfd of the process
 *
 * Return: 0, or -1 with @why filled in.  Close with procfd_close().
 */
int procfd_copy(pid_t pid, int pidfd, struct kvm_fds *fds, char *why, size_t len);

/** procfd_close() - close copies */
void procfd_close(struct kvm_fds *fds);

#endif /* USERSPACE_PROCFD_H */
