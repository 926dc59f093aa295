// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "userspace/vm/procfd.h"
#include "tests.h"

#define PID	4711

static char why[256];

static int find(struct kvm_fds *fds, const char * const *links, size_t n)
{
	char path[64];
	size_t i;
	int ret;

	tree_make();
	tree_text("/proc/4711/comm", "qemu");
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/4711/fd/%zu", i);
		tree_link(path, links[i]);
	}
	ret = procfd_find(PID, fds, why, sizeof(why));
	tree_remove();
	return ret;
}

void test_procfd_vcpu_links(void **state)
{
	(void)state;
	assert_int_equal(procfd_link_vcpu("anon_inode:kvm-vcpu:0"), 0);
	assert_int_equal(procfd_link_vcpu("anon_inode:kvm-vcpu:15"), 15);
	assert_int_equal(procfd_link_vcpu("anon_inode:kvm-vm"), -1);
	assert_int_equal(procfd_link_vcpu("anon_inode:kvm-vcpu:"), -1);
	assert_int_equal(procfd_link_vcpu("anon_inode:kvm-vcpu:-1"), -1);
	assert_int_equal(procfd_link_vcpu("anon_inode:kvm-vcpu:1x"), -1);
	assert_int_equal(procfd_link_vcpu("anon_inode:kvm-vcpu:99999999999"), -1);
	assert_int_equal(procfd_link_vcpu("/tmp/anon_inode:kvm-vcpu:0"), -1);
}

void test_procfd_finds_vm_and_vcpus(void **state)
{
	static const char * const links[] = { "/dev/null", "socket:[12]",
		"anon_inode:kvm-vcpu:1", "anon_inode:kvm-vm", "anon_inode:[eventfd]",
		"anon_inode:kvm-vcpu:0" };
	struct kvm_fds fds;

	(void)state;
	assert_int_equal(find(&fds, links, ARRAY_SIZE(links)), 0);
	assert_int_equal(fds.vm, 3);
	assert_int_equal(fds.vcpus, 2);
	assert_int_equal(fds.vcpu[0], 5);
	assert_int_equal(fds.vcpu[1], 2);
}

void test_procfd_refuses_two_vms(void **state)
{
	static const char * const links[] = { "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:0",
		"anon_inode:kvm-vm" };
	struct kvm_fds fds;

	(void)state;
	assert_int_equal(find(&fds, links, ARRAY_SIZE(links)), -1);
	assert_non_null(strstr(why, "more than one KVM VM"));
}

void test_procfd_refuses_no_vm(void **state)
{
	static const char * const links[] = { "/dev/null" };
	struct kvm_fds fds;

	(void)state;
	assert_int_equal(find(&fds, links, ARRAY_SIZE(links)), -1);
	assert_non_null(strstr(why, "-accel kvm"));
}

void test_procfd_refuses_missing_vcpu(void **state)
{
	static const char * const links[] = { "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:1" };
	static const char * const none[] = { "anon_inode:kvm-vm" };
	struct kvm_fds fds;

	(void)state;
	assert_int_equal(find(&fds, links, ARRAY_SIZE(links)), -1);
	assert_non_null(strstr(why, "vCPU 0"));
	assert_int_equal(find(&fds, none, ARRAY_SIZE(none)), -1);
	assert_non_null(strstr(why, "vCPU 0"));
}

void test_procfd_refuses_too_many_vcpus(void **state)
{
	static const char * const links[] = { "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:64" };
	struct kvm_fds fds;

	(void)state;
	assert_int_equal(find(&fds, links, ARRAY_SIZE(links)), -1);
	assert_non_null(strstr(why, "at most 64"));
}

void test_procfd_refuses_vanished_process(void **state)
{
	struct kvm_fds fds;

	(void)state;
	tree_make();
	assert_int_equal(procfd_find(PID, &fds, why, sizeof(why)), -1);
	tree_remove();
	assert_non_null(strstr(why, "No such file"));
}
