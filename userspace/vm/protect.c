// SPDX-License-Identifier: GPL-2.0
/* Turning a stopped VM of another process into a protected one. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/vm/protect.h"

const char *protect_create_error(int err)
{
	switch (err) {
	case EBUSY:
		return "a vCPU has run already; start the VM stopped (qemu -S)";
	case EEXIST:
		return "it is protected already";
	case EOPNOTSUPP:
		return "kvm.ko is not loaded; modprobe kvm_intel";
	case EBADF:
		return "these are not the descriptors of one KVM VM and its vCPUs";
	case EXDEV:
		return "a vCPU is missing or named twice";
	case ENOSPC:
		return "the layer knows no more VMs; end one";
	case ESRCH:
		return "its process is ending";
	case ENXIO:
		return "no IOMMU keeps devices from its memory; 'underpin status' says why and the "
		       "cure, allow_no_iommu=1 for underpin.ko protects it from software alone";
	}
	return strerror(err);
}

static const char *step_name(uint32_t step)
{
	switch (step) {
	case UNDERPIN_STEP_MEMSLOTS:
		return "reading the memory slots";
	case UNDERPIN_STEP_PIN:
		return "pinning guest frame";
	case UNDERPIN_STEP_BIND:
		return "binding vCPU";
	case UNDERPIN_STEP_DONATE:
		return "giving the layer guest frame";
	case UNDERPIN_STEP_MEASURE:
		return "measuring, frame";
	}
	return "starting";
}

const char *protect_step_error(uint32_t step, int err)
{
	if (step == UNDERPIN_STEP_PIN && err == EFAULT)
		return "this memory cannot be pinned for writing; use plain memory for the VM";
	if (step == UNDERPIN_STEP_PIN && err == ENOMEM)
		return "not enough memory to pin all of the VM's; give it less";
	if (err == ENOMEM)
		return "the layer has no memory for its tables, and Linux none to give";
	if (step == UNDERPIN_STEP_BIND && err == EBUSY)
		return "it has run already; start the VM stopped (qemu -S)";
	if (step == UNDERPIN_STEP_BIND && err == ENOSPC)
		return "the layer protects VMs with fewer vCPUs only; use -smp 64 at most";
	if (step == UNDERPIN_STEP_BIND && err == ENOENT)
		return "this VM was protected before; start a new one";
	if (step == UNDERPIN_STEP_DONATE && err == EPERM)
		return "this page is a protected VM's already: share no memory between VMs; or the "
		       "VM's ticket is for less memory";
	if (step == UNDERPIN_STEP_MEASURE && err == EPERM)
		return "the layer asks for a ticket that is for this VM, its log (dmesg) says what "
		       "is wrong; --ticket FILE";
	if (err == ESTALE)
		return "the VM ended meanwhile";
	return strerror(err);
}

static int create(int dev, const struct kvm_fds *fds, uint32_t flags, struct protected_vm *vm)
{
	__s32 vcpu[UNDERPIN_MAX_VCPUS];
	struct underpin_vm_create args = {
		.kvm_fd = fds->vm, .flags = flags, .vcpu_fds = (uintptr_t)vcpu,
		.vcpus = fds->vcpus,
	};
	unsigned int i;

	for (i = 0; i < fds->vcpus; i++)
		vcpu[i] = fds->vcpu[i];
	if (ioctl(dev, UNDERPIN_VM_CREATE, &args)) {
		cli_error("the VM cannot be protected: %s", protect_create_error(errno));
		return -1;
	}
	vm->id = args.id;
	vm->fd = args.vm_fd;
	return 0;
}

static int as_expected(const struct protected_vm *vm, const unsigned char *expect)
{
	char hex[65];

	if (!expect || !memcmp(vm->measurement, expect, sizeof(vm->measurement)))
		return 0;
	cli_hex(hex, vm->measurement, sizeof(vm->measurement));
	cli_error("VM %u: its measurement is %s, not the expected one", vm->id, hex);
	return -1;
}

static int measure(struct protected_vm *vm)
{
	struct underpin_vm_protect args = { };

	if (ioctl(vm->fd, UNDERPIN_VM_PROTECT, &args)) {
		cli_error("VM %u cannot be protected: %s %#" PRIx64 ": %s", vm->id,
			  step_name(args.step), (uint64_t)args.where,
			  protect_step_error(args.step, errno));
		return -1;
	}
	vm->frames = args.frames;
	memcpy(vm->measurement, args.measurement, sizeof(vm->measurement));
	return 0;
}

/* To the layer as it is: it alone can tell whether it is good. */
static int bring(struct protected_vm *vm, const unsigned char *ticket)
{
	struct underpin_vm_ticket args = { };

	if (!ticket)
		return 0;
	memcpy(args.ticket, ticket, sizeof(args.ticket));
	if (!ioctl(vm->fd, UNDERPIN_VM_TICKET, &args))
		return 0;
	cli_error("VM %u: its ticket: %s", vm->id, errno == EACCES ?
		  "the layer does not take it, its log (dmesg) says why; ask for a new one" :
		  strerror(errno));
	return -1;
}

int protect_vm(int dev, const struct kvm_fds *fds, uint32_t flags, const unsigned char *ticket,
	       const unsigned char *expect, struct protected_vm *vm)
{
	struct underpin_vm_release release = { };

	if (create(dev, fds, flags, vm))
		return -1;
	if (!bring(vm, ticket) && !measure(vm) && !as_expected(vm, expect))
		return 0;
	release.id = vm->id;
	ioctl(dev, UNDERPIN_VM_RELEASE, &release);
	close(vm->fd);
	vm->fd = -1;
	return -1;
}
