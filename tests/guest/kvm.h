/* SPDX-License-Identifier: GPL-2.0 */
/* What programs that measure a guest of their own through the KVM API have in common. */
#ifndef GUEST_KVM_H
#define GUEST_KVM_H

#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MAX_ROUNDS	99

/* The program's own: ends it, and says what failed with which errno, or returns RET. */
static int must(int ret, const char *what);

/* A VM with memory from address 0 on, all of it present to its user space in small pages. */
static inline int create_vm(int kvm, size_t memory, uint8_t **mem)
{
	struct kvm_userspace_memory_region region = { .memory_size = memory };
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");

	*mem = mmap(NULL, memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(*mem == MAP_FAILED ? -1 : 0, "mmap");
	madvise(*mem, memory, MADV_NOHUGEPAGE);
	memset(*mem, 0, memory);
	region.userspace_addr = (uintptr_t)*mem;
	must(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	return vm;
}

static inline size_t run_size(int kvm)
{
	return (size_t)must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "mmap size");
}

static inline int create_vcpu(int kvm, int vm, unsigned long id, struct kvm_run **run)
{
	int vcpu = must(ioctl(vm, KVM_CREATE_VCPU, id), "KVM_CREATE_VCPU");

	*run = mmap(NULL, run_size(kvm), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	must(*run == MAP_FAILED ? -1 : 0, "mmap of the vCPU");
	return vcpu;
}

static inline int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static inline uint64_t median(uint64_t *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

/* Is the name among the words, or are there none? */
static inline int wanted(const char *name, char **words)
{
	if (!*words)
		return 1;
	for (; *words; words++)
		if (!strcmp(*words, name))
			return 1;
	return 0;
}

#endif
