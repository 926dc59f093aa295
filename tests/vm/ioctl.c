// SPDX-License-Identifier: GPL-2.0
/*
 * Runs in the test machine: /dev/underpin with small VMs of /dev/kvm, from bad
 * arguments to a protected VM's memory.  Prints TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../ioctl/underpin.h"

#define PAGE	4096ul
#define PAGES	16
#define GPA	0x100000ul	/* of the VMs' memory */

static int dev, kvm, count;

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
	if (!good)
		printf("# errno %d (%s)\n", errno, strerror(errno));
}

/* The call fails so. */
static void refused(int fd, unsigned long call, void *arg, int err, const char *name)
{
	errno = 0;
	ok(ioctl(fd, call, arg) == -1 && errno == err, name);
}

struct vm {
	int fd;
	int vcpu;
	unsigned char *mem;
};

static int add_slot(struct vm *vm, unsigned int slot, unsigned long gpa, void *mem, size_t pages)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot, .guest_phys_addr = gpa, .memory_size = pages * PAGE,
		.userspace_addr = (unsigned long)mem,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r);
}

static void *anonymous(size_t pages, int protection)
{
	return mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static struct vm new_vm(void)
{
	struct vm vm = { .fd = ioctl(kvm, KVM_CREATE_VM, 0) };

	vm.vcpu = ioctl(vm.fd, KVM_CREATE_VCPU, 0);
	if (vm.fd < 0 || vm.vcpu < 0) {
		perror("making a VM");
		exit(1);
	}
	return vm;
}

/* With memory that says "mine" in each page. */
static struct vm new_vm_with_memory(void)
{
	struct vm vm = new_vm();
	int i;

	vm.mem = anonymous(PAGES, PROT_READ | PROT_WRITE);
	for (i = 0; i < PAGES; i++)
		strcpy((char *)vm.mem + i * PAGE, "mine");
	add_slot(&vm, 0, GPA, vm.mem, PAGES);
	return vm;
}

static void end_vm(struct vm *vm)
{
	close(vm->vcpu);
	close(vm->fd);
	if (vm->mem)
		munmap(vm->mem, PAGES * PAGE);
}

static struct underpin_vm_create create_args(struct vm *vm, __s32 *vcpu)
{
	*vcpu = vm->vcpu;
	return (struct underpin_vm_create) {
		.kvm_fd = vm->fd, .vcpu_fds = (unsigned long)vcpu, .vcpus = 1,
	};
}

static int create(struct vm *vm, unsigned int *id)
{
	__s32 vcpu;
	struct underpin_vm_create args = create_args(vm, &vcpu);

	if (ioctl(dev, UNDERPIN_VM_CREATE, &args)) {
		printf("# creating: %s\n", strerror(errno));
		return -1;
	}
	*id = args.id;
	return args.vm_fd;
}

static unsigned int vms(void)
{
	struct underpin_vm_list list = { };

	return ioctl(dev, UNDERPIN_VM_LIST, &list) ? ~0u : list.count;
}

static unsigned long long vm_frames(void)
{
	struct underpin_status st = { .cpu = UNDERPIN_CPU_NONE };

	return ioctl(dev, UNDERPIN_STATUS, &st) ? ~0ull : st.vm_frames;
}

static bool zero(const unsigned char *mem, size_t len)
{
	return !*mem && !memcmp(mem, mem + 1, len - 1);
}

static void check_launch(void)
{
	struct underpin_launch a = { }, b = { };

	refused(dev, UNDERPIN_LAUNCH, NULL, EFAULT, "launch: no memory there");
	ok(!ioctl(dev, UNDERPIN_LAUNCH, &a) && !ioctl(dev, UNDERPIN_LAUNCH, &b) &&
	   !zero(a.nonce, sizeof(a.nonce)) && !memcmp(&a, &b, sizeof(a)),
	   "launch: a nonce, always the same");
	a.flags = 1;
	refused(dev, UNDERPIN_LAUNCH, &a, EINVAL, "launch: unknown flag");
	b.asks_tickets = 1;
	refused(dev, UNDERPIN_LAUNCH, &b, EINVAL, "launch: reserved field");
}

static void test_device(void)
{
	struct underpin_status st = { .cpu = 0 };
	struct underpin_vm_info info = { .id = 9 };
	struct underpin_vm_release release = { .id = 9 };
	struct underpin_vm_list list = { };

	refused(dev, _IO(UNDERPIN_IOC, 0x7f), NULL, ENOTTY, "unknown call");
	refused(dev, UNDERPIN_VM_PROTECT, NULL, ENOTTY, "a VM's call on the device");
	refused(dev, UNDERPIN_STATUS, NULL, EFAULT, "status: no memory there");
	ok(!ioctl(dev, UNDERPIN_STATUS, &st) && st.counters.demoted == 1, "status of CPU 0");
	st.flags = 1;
	refused(dev, UNDERPIN_STATUS, &st, EINVAL, "status: unknown flag");
	st = (struct underpin_status) { .cpu = 4096 };
	refused(dev, UNDERPIN_STATUS, &st, ENOENT, "status of a CPU that is not there");
	refused(dev, UNDERPIN_VM_INFO, &info, ENOENT, "info of a VM that is not there");
	info.flags = 1;
	refused(dev, UNDERPIN_VM_INFO, &info, EINVAL, "info: unknown flag");
	check_launch();
	refused(dev, UNDERPIN_VM_RELEASE, &release, ENOENT, "release of a VM that is not there");
	release.flags = 1;
	refused(dev, UNDERPIN_VM_RELEASE, &release, EINVAL, "release: unknown flag");
	list.flags = 1;
	refused(dev, UNDERPIN_VM_LIST, &list, EINVAL, "list: unknown flag");
}

static void test_create_arguments(void)
{
	struct vm vm = new_vm_with_memory(), other = new_vm();
	__s32 vcpu[2];
	struct underpin_vm_create good = create_args(&vm, vcpu), args = good;

	args.flags = 2;
	refused(dev, UNDERPIN_VM_CREATE, &args, EINVAL, "create: unknown flag");
	args = good;
	args.reserved = 1;
	refused(dev, UNDERPIN_VM_CREATE, &args, EINVAL, "create: reserved field set");
	args = good;
	args.vcpus = 0;
	refused(dev, UNDERPIN_VM_CREATE, &args, EINVAL, "create: no vCPU");
	args.vcpus = UNDERPIN_MAX_VCPUS + 1;
	refused(dev, UNDERPIN_VM_CREATE, &args, EINVAL, "create: too many vCPUs");
	args = good;
	args.vcpu_fds = 0;
	refused(dev, UNDERPIN_VM_CREATE, &args, EFAULT, "create: no vCPU list there");
	args = good;
	args.kvm_fd = dev;
	refused(dev, UNDERPIN_VM_CREATE, &args, EBADF, "create: not a KVM VM");
	args.kvm_fd = -1;
	refused(dev, UNDERPIN_VM_CREATE, &args, EBADF, "create: no descriptor");
	args = good;
	vcpu[0] = vm.fd;
	refused(dev, UNDERPIN_VM_CREATE, &args, EBADF, "create: the VM is no vCPU");
	vcpu[0] = other.vcpu;
	refused(dev, UNDERPIN_VM_CREATE, &args, EBADF, "create: another VM's vCPU");
	vcpu[0] = ioctl(vm.vcpu, KVM_GET_STATS_FD, NULL);
	refused(dev, UNDERPIN_VM_CREATE, &args, EBADF, "create: a vCPU's statistics");
	close(vcpu[0]);
	vcpu[0] = vcpu[1] = vm.vcpu;
	args.vcpus = 2;
	refused(dev, UNDERPIN_VM_CREATE, &args, EXDEV, "create: a vCPU named twice");
	close(ioctl(vm.fd, KVM_CREATE_VCPU, 1));
	args.vcpus = 1;
	refused(dev, UNDERPIN_VM_CREATE, &args, EXDEV, "create: a vCPU missing");
	ok(vms() == 0, "nothing came of these");
	end_vm(&vm);
	end_vm(&other);
}

static void test_vm_that_ran(void)
{
	struct vm vm = new_vm_with_memory();
	__s32 vcpu;
	struct underpin_vm_create args = create_args(&vm, &vcpu);

	ioctl(vm.vcpu, KVM_RUN, 0);	/* no memory at the reset vector: returns at once */
	refused(dev, UNDERPIN_VM_CREATE, &args, EBUSY, "create: a vCPU that ran");
	end_vm(&vm);
}

static void test_life(void)
{
	struct vm vm = new_vm_with_memory();
	struct underpin_vm_protect args = { };
	struct underpin_vm_donate late = { .gfn = 0x200, .count = 2 };
	unsigned char *more = anonymous(4, PROT_READ | PROT_WRITE);
	struct underpin_vm_info info = { };
	__s32 vcpu;
	struct underpin_vm_create again = create_args(&vm, &vcpu);
	int fd = create(&vm, &info.id);

	ok(fd >= 0 && vms() == 1, "a VM is created");
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC, "its descriptor is close-on-exec");
	refused(dev, UNDERPIN_VM_CREATE, &again, EEXIST, "create: once for a VM");
	refused(fd, UNDERPIN_STATUS, NULL, ENOTTY, "the device's call on a VM");
	refused(fd, UNDERPIN_VM_DONATE, &late, EAGAIN, "donate: not protected yet");
	args.flags = 1;
	refused(fd, UNDERPIN_VM_PROTECT, &args, EINVAL, "protect: unknown flag");
	refused(fd, UNDERPIN_VM_PROTECT, NULL, EFAULT, "protect: no memory there");
	args.flags = 0;
	ok(!ioctl(fd, UNDERPIN_VM_PROTECT, &args) && args.frames == PAGES && !args.aliases,
	   "it is protected");
	ok(vm_frames() == PAGES, "the layer has its frames");
	ok(!ioctl(dev, UNDERPIN_VM_INFO, &info) && info.state == UNDERPIN_VM_RUNNABLE &&
	   info.frames == PAGES && info.frames_pinned == PAGES && info.vcpus == 1 &&
	   !memcmp(info.measurement, args.measurement, 32), "info tells the same");
	refused(fd, UNDERPIN_VM_PROTECT, &args, EALREADY, "protect: once");
	refused(fd, UNDERPIN_VM_DONATE, &late, ENOENT, "donate: no memory slot there");
	strcpy((char *)more, "late");
	add_slot(&vm, 1, 0x200000, more, 4);
	ok(!ioctl(fd, UNDERPIN_VM_DONATE, &late) && late.done == 2, "late memory is donated");
	late = (struct underpin_vm_donate) { .gfn = 0x200, .count = 2 };
	refused(fd, UNDERPIN_VM_DONATE, &late, EEXIST, "donate: there is a frame already");
	ok(late.step == UNDERPIN_STEP_DONATE && late.where == 0x200, "and says where");
	late = (struct underpin_vm_donate) { .gfn = 0x203, .count = 2 };
	refused(fd, UNDERPIN_VM_DONATE, &late, ENOENT, "donate: half in a slot");
	close(fd);
	ok(vms() == 0 && vm_frames() == 0, "closing its descriptor ends it");
	ok(zero(vm.mem, PAGES * PAGE), "its memory came back zeroed");
	ok(zero(more, 2 * PAGE), "what was donated late, too");
	end_vm(&vm);
}

/* Protect fails at a step, says where, and gives everything back. */
static void fails(struct vm *vm, int err, unsigned int step, unsigned long where, const char *name)
{
	struct underpin_vm_protect args = { };
	unsigned int id;
	int fd = create(vm, &id);

	refused(fd, UNDERPIN_VM_PROTECT, &args, err, name);
	ok(args.step == step && args.where == where, "and says where");
	if (args.step != step || args.where != where)
		printf("# step %u at %#llx\n", args.step, (unsigned long long)args.where);
	ok(vms() == 0 && vm_frames() == 0, "and everything is given back");
	refused(fd, UNDERPIN_VM_PROTECT, &args, ESTALE, "it cannot be tried again");
	close(fd);
}

static void test_memory_that_cannot_be_had(void)
{
	struct vm vm = new_vm();
	unsigned char *mem;
	int file;

	fails(&vm, EINVAL, UNDERPIN_STEP_MEMSLOTS, 0, "a VM without memory");
	add_slot(&vm, 0, GPA, anonymous(4, PROT_READ), 4);
	fails(&vm, EFAULT, UNDERPIN_STEP_PIN, GPA / PAGE, "memory that is read-only");
	end_vm(&vm);

	vm = new_vm_with_memory();
	munmap(vm.mem + 5 * PAGE, PAGE);
	fails(&vm, EFAULT, UNDERPIN_STEP_PIN, GPA / PAGE + 5, "memory with a hole");
	ok(!strcmp((char *)vm.mem + 4 * PAGE, "mine"), "the rest is untouched");
	end_vm(&vm);

	vm = new_vm();
	file = memfd_create("shared", 0);
	if (ftruncate(file, 4 * PAGE))
		perror("ftruncate");
	mem = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	add_slot(&vm, 0, GPA, mem, 4);
	add_slot(&vm, 1, GPA + 0x10000,
		 mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, PAGE), 1);
	fails(&vm, EPERM, UNDERPIN_STEP_DONATE, (GPA + 0x10000) / PAGE,
	      "one page through two mappings");
	close(file);
	end_vm(&vm);
}

/* The same mapping at two guest addresses: the lower one gets zero frames. */
static void test_aliases(void)
{
	struct underpin_vm_protect args = { };
	struct vm vm = new_vm_with_memory();
	unsigned int id;
	int fd;

	add_slot(&vm, 1, 0x10000, vm.mem + 12 * PAGE, 4);
	fd = create(&vm, &id);
	ok(!ioctl(fd, UNDERPIN_VM_PROTECT, &args) && args.frames == PAGES + 4 && args.aliases == 4,
	   "memory at two guest addresses");
	close(fd);
	ok(vms() == 0 && vm_frames() == 0, "and all of it comes back");
	end_vm(&vm);
}

static void test_release_and_detached(void)
{
	struct vm vm = new_vm_with_memory();
	struct underpin_vm_protect protect = { };
	struct underpin_vm_donate late = { .gfn = GPA / PAGE, .count = 1 };
	struct underpin_vm_release release = { };
	__s32 vcpu;
	struct underpin_vm_create args = create_args(&vm, &vcpu);

	args.flags = UNDERPIN_VM_DETACHED;
	ok(!ioctl(dev, UNDERPIN_VM_CREATE, &args), "a detached VM is created");
	close(args.vm_fd);
	ok(vms() == 0, "until it is protected it ends with its descriptor, too");
	ok(!ioctl(dev, UNDERPIN_VM_CREATE, &args) &&
	   !ioctl(args.vm_fd, UNDERPIN_VM_PROTECT, &protect), "another is protected");
	close(dup(args.vm_fd));
	release.id = args.id;
	ok(!ioctl(dev, UNDERPIN_VM_RELEASE, &release) && vms() == 0, "it is released");
	refused(args.vm_fd, UNDERPIN_VM_PROTECT, &protect, ESTALE, "protect: it has ended");
	refused(args.vm_fd, UNDERPIN_VM_DONATE, &late, ESTALE, "donate: it has ended");
	close(args.vm_fd);
	fails(&vm, ENOENT, UNDERPIN_STEP_BIND, 0, "a VM that was protected before");
	end_vm(&vm);

	vm = new_vm_with_memory();
	args = create_args(&vm, &vcpu);
	args.flags = UNDERPIN_VM_DETACHED;
	ok(!ioctl(dev, UNDERPIN_VM_CREATE, &args) &&
	   !ioctl(args.vm_fd, UNDERPIN_VM_PROTECT, &protect), "a third one is protected");
	close(args.vm_fd);
	ok(vms() == 1 && vm_frames() == PAGES, "protected, it outlives its descriptor");
	release.id = args.id;
	ok(!ioctl(dev, UNDERPIN_VM_RELEASE, &release) && vms() == 0, "and is released by number");
	end_vm(&vm);
}

static void *run_vcpu(void *arg)
{
	struct vm *vm = arg;

	ioctl(vm->vcpu, KVM_RUN, 0);
	return NULL;
}

/* A vCPU that waits inside KVM_RUN, for an interrupt that never comes. */
static void test_release_of_a_halted_vcpu(void)
{
	static const unsigned char code[] = { 0xf4, 0xeb, 0xfd };	/* 1: hlt; jmp 1b */
	struct vm vm = { .fd = ioctl(kvm, KVM_CREATE_VM, 0) };
	struct underpin_vm_protect protect = { };
	struct underpin_vm_release release = { };
	struct underpin_vm_info info = { };
	pthread_t thread;
	int fd;

	ioctl(vm.fd, KVM_CREATE_IRQCHIP, 0);
	vm.vcpu = ioctl(vm.fd, KVM_CREATE_VCPU, 0);
	vm.mem = anonymous(PAGES, PROT_READ | PROT_WRITE);
	memcpy(vm.mem + PAGES * PAGE - 16, code, sizeof(code));
	add_slot(&vm, 0, 0x100000000ul - PAGES * PAGE, vm.mem, PAGES);
	fd = create(&vm, &info.id);
	ok(!ioctl(fd, UNDERPIN_VM_PROTECT, &protect) && protect.frames == PAGES,
	   "a VM with KVM's own slots: those are not its memory");
	pthread_create(&thread, NULL, run_vcpu, &vm);
	sleep(1);
	ok(!ioctl(dev, UNDERPIN_VM_INFO, &info) && info.entries &&
	   info.state == UNDERPIN_VM_RUNNABLE, "it runs, and halts");
	release.id = info.id;
	ok(!ioctl(dev, UNDERPIN_VM_RELEASE, &release) && vms() == 0, "it is released meanwhile");
	pthread_join(thread, NULL);
	ok(zero(vm.mem, PAGES * PAGE), "its vCPU came back, and its memory zeroed");
	close(fd);
	end_vm(&vm);
}

/* The layer has been loaded without allow_no_iommu=1, on a machine that has no VT-d. */
static int test_no_iommu(void)
{
	struct vm vm = new_vm();
	__s32 vcpu;
	struct underpin_vm_create args = create_args(&vm, &vcpu);

	refused(dev, UNDERPIN_VM_CREATE, &args, ENXIO, "create: no IOMMU keeps devices out");
	end_vm(&vm);
	return 0;
}

/* Argument: "no-iommu", or how many tests went before. */
int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	dev = open(UNDERPIN_DEVICE, O_RDWR | O_CLOEXEC);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (dev < 0 || kvm < 0) {
		perror("/dev/underpin, /dev/kvm");
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "no-iommu"))
		return test_no_iommu();
	count = argc > 1 ? atoi(argv[1]) : 0;
	test_device();
	test_create_arguments();
	test_vm_that_ran();
	test_life();
	test_memory_that_cannot_be_had();
	test_aliases();
	test_release_and_detached();
	test_release_of_a_halted_vcpu();
	printf("1..%d\n", count);
	return 0;
}
