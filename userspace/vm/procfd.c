// SPDX-License-Identifier: GPL-2.0
/* A VM's file descriptors in the process that owns it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "userspace/vm/procfd.h"
#include "userspace/cli/sysfile.h"

#define LINK_VM		"anon_inode:kvm-vm"
#define LINK_VCPU	"anon_inode:kvm-vcpu:"

int procfd_link_vcpu(const char *link)
{
	unsigned long n;
	char *end;

	if (strncmp(link, LINK_VCPU, strlen(LINK_VCPU)))
		return -1;
	link += strlen(LINK_VCPU);
	n = strtoul(link, &end, 10);
	return *link < '0' || *link > '9' || *end || n > 65535 ? -1 : (int)n;
}

static void clear(struct kvm_fds *fds)
{
	unsigned int i;

	fds->vm = -1;
	fds->vcpus = 0;
	for (i = 0; i < UNDERPIN_MAX_VCPUS; i++)
		fds->vcpu[i] = -1;
}

/* One descriptor of the process.  A vCPU of an earlier, closed VM shows as a duplicate. */
static int note(struct kvm_fds *fds, int fd, const char *link, char *why, size_t len)
{
	int n = procfd_link_vcpu(link);

	if (!strcmp(link, LINK_VM)) {
		if (fds->vm >= 0) {
			snprintf(why, len, "it has more than one KVM VM; name the one by --vm-fd");
			return -1;
		}
		fds->vm = fd;
		return 0;
	}
	if (n < 0)
		return 0;
	if (n >= UNDERPIN_MAX_VCPUS) {
		snprintf(why, len, "vCPU %d: a protected VM has at most %d vCPUs", n,
			 UNDERPIN_MAX_VCPUS);
		return -1;
	}
	if (fds->vcpu[n] >= 0) {
		snprintf(why, len, "it has more than one vCPU %d", n);
		return -1;
	}
	fds->vcpu[n] = fd;
	fds->vcpus++;
	return 0;
}

static int complete(const struct kvm_fds *fds, char *why, size_t len)
{
	unsigned int i;

	if (fds->vm < 0) {
		snprintf(why, len, "it has no KVM VM; start QEMU with \"-accel kvm\"");
		return -1;
	}
	for (i = 0; i < fds->vcpus; i++)
		if (fds->vcpu[i] < 0)
			break;
	if (fds->vcpus && i == fds->vcpus)
		return 0;
	snprintf(why, len, "vCPU %u is missing among its descriptors", i);
	return -1;
}

static int read_links(DIR *dir, struct kvm_fds *fds, char *why, size_t len)
{
	char link[256];
	struct dirent *d;
	ssize_t n;

	while ((d = readdir(dir))) {
		n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = 0;
		if (note(fds, atoi(d->d_name), link, why, len))
			return -1;
	}
	return complete(fds, why, len);
}

int procfd_find(pid_t pid, struct kvm_fds *fds, char *why, size_t len)
{
	char *path = sysfile_path("/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	int ret;

	clear(fds);
	free(path);
	if (!dir) {
		snprintf(why, len, "its descriptors cannot be listed: %s", strerror(errno));
		return -1;
	}
	ret = read_links(dir, fds, why, len);
	closedir(dir);
	return ret;
}

int procfd_copy(pid_t pid, int pidfd, struct kvm_fds *fds, char *why, size_t len)
{
	struct kvm_fds theirs;
	unsigned int i;

	clear(fds);
	if (procfd_find(pid, &theirs, why, len))
		return -1;
	fds->vm = pidfd_getfd(pidfd, theirs.vm, 0);
	for (i = 0; fds->vm >= 0 && i < theirs.vcpus; i++) {
		fds->vcpu[i] = pidfd_getfd(pidfd, theirs.vcpu[i], 0);
		if (fds->vcpu[i] < 0)
			break;
		fds->vcpus++;
	}
	if (fds->vcpus == theirs.vcpus)
		return 0;
	snprintf(why, len, "its descriptors cannot be copied: %s; this takes root's right to trace it",
		 strerror(errno));
	procfd_close(fds);
	return -1;
}

void procfd_close(struct kvm_fds *fds)
{
	unsigned int i;

	if (fds->vm >= 0)
		close(fds->vm);
	for (i = 0; i < fds->vcpus; i++)
		close(fds->vcpu[i]);
	clear(fds);
}
