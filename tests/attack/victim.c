// SPDX-License-Identifier: GPL-2.0
/*
 * A victim: a process with a KVM VM of its own that runs tiny-fw.bin, and does
 * what the driver asks of it between two exits.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "attack.h"
#include "underpin.h"

#define PATCH_OFFSET	0xffb0
#define COM1		0x3f8
#define COM1_LSR	0x3fd

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void nap(unsigned int ms)
{
	usleep(ms * 1000);
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

/* --- in the victim's process ------------------------------------------------ */

static void load_firmware(struct shared *sh)
{
	int fd = must(open("tiny-fw.bin", O_RDONLY), "tiny-fw.bin");

	if (read(fd, sh->rom, ROM_SIZE) != ROM_SIZE)
		errx(1, "tiny-fw.bin: short");
	close(fd);
	memcpy(sh->rom + PATCH_OFFSET, &sh->half, sizeof(sh->half));
}

static void *memory(size_t size, size_t align)
{
	uint8_t *p = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	p = (uint8_t *)(((uintptr_t)p + align - 1) & ~(align - 1));
	madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

static void add_slot(struct shared *sh, uint32_t slot, uint64_t gpa, void *at, uint64_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)at,
	};

	must(ioctl(sh->vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

/*
 * What a zeroed interrupt table would be in a VM whose owner had no bad luck: vector 2
 * leads to code that says 'V' on COM1.  The firmware does not touch this page.
 */
static void plant_vector(uint8_t *ram)
{
	static const uint8_t code[] = {
		0xb0, 'V', 0xba, 0xf8, 0x03, 0xee,	/* mov $'V', %al; mov $COM1, %dx; out */
		0xfa, 0xf4, 0xeb, 0xfd,			/* cli; 1: hlt; jmp 1b */
	};
	static const uint16_t vector[] = { 0x600, 0 };

	memcpy(ram + 2 * sizeof(vector), vector, sizeof(vector));
	memcpy(ram + 0x600, code, sizeof(code));
}

static void make_vm(struct shared *sh)
{
	int size;

	sh->kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
	sh->vm = must(ioctl(sh->kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	sh->ram = memory(RAM_SIZE, 2u << 20);
	sh->rom = memory(ROM_SIZE, PAGE);
	memset(sh->ram + SECRET_GPA, 0, 2 * PAGE);
	memset(sh->ram + SPARE_GPA, 0, PAGE);
	plant_vector(sh->ram);
	load_firmware(sh);
	add_slot(sh, 0, 0, sh->ram, RAM_SIZE);
	add_slot(sh, 1, ROM_GPA, sh->rom, ROM_SIZE);
	sh->vcpu = must(ioctl(sh->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	if (sh->vcpus == 2)
		sh->other = must(ioctl(sh->vm, KVM_CREATE_VCPU, 1), "KVM_CREATE_VCPU");
	size = must(ioctl(sh->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	sh->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, sh->vcpu, 0);
	if (sh->run == MAP_FAILED)
		err(1, "mmap of the vCPU");
}

/* The guest looks at CPUID for long mode, AVX and XSAVE. */
static void set_cpuid(struct shared *sh)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[100];
	} id = { .head.nent = 100 };

	must(ioctl(sh->kvm, KVM_GET_SUPPORTED_CPUID, &id), "KVM_GET_SUPPORTED_CPUID");
	must(ioctl(sh->vcpu, KVM_SET_CPUID2, &id), "KVM_SET_CPUID2");
	if (sh->vcpus == 2)
		must(ioctl(sh->other, KVM_SET_CPUID2, &id), "KVM_SET_CPUID2");
}

static void protect_vm(struct shared *sh)
{
	int32_t fd[] = { sh->vcpu, sh->other };
	struct underpin_vm_create c = {
		.kvm_fd = sh->vm, .vcpu_fds = (uintptr_t)fd, .vcpus = (uint32_t)sh->vcpus,
	};
	struct underpin_vm_protect p = { 0 };

	must(ioctl(underpin_fd, UNDERPIN_VM_CREATE, &c), "UNDERPIN_VM_CREATE");
	must(ioctl(c.vm_fd, UNDERPIN_VM_PROTECT, &p), "UNDERPIN_VM_PROTECT");
	sh->id = (int)c.id;
}

static void say(struct shared *sh, char c)
{
	if (sh->nlog < LOG_SIZE - 1)
		sh->log[sh->nlog] = c;
	__atomic_add_fetch(&sh->nlog, 1, __ATOMIC_RELEASE);
}

void victim_io(struct shared *sh, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_OUT) {
		if (run->io.port == COM1)
			say(sh, (char)*data);
	} else if (run->io.port == COM1_LSR) {
		*data = 0x20 | !!sh->key;
	} else if (run->io.port == COM1) {
		*data = (uint8_t)sh->key;
		sh->key = 0;
	} else {
		*data = 0xff;
	}
}

static void run_once(struct shared *sh)
{
	int ret = ioctl(sh->vcpu, KVM_RUN, 0);

	if (ret < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (!ret && sh->run->exit_reason == KVM_EXIT_IO)
		victim_io(sh, sh->run);
	else if (!ret && sh->run->exit_reason == KVM_EXIT_MMIO &&
		 sh->run->mmio.phys_addr / PAGE == DEVICE_GPA / PAGE)
		memset(sh->run->mmio.data, 0, sizeof(sh->run->mmio.data));
	else if (ret || (sh->run->exit_reason != KVM_EXIT_DEBUG &&
			 sh->run->exit_reason != KVM_EXIT_INTR))
		sh->ended = ret < 0 ? errno : 1000 + (int)sh->run->exit_reason;
}

/* So that an I/O exit is complete before somebody else looks at the vCPU. */
static void finish_exit(struct shared *sh)
{
	sh->run->immediate_exit = 1;
	ioctl(sh->vcpu, KVM_RUN, 0);
	sh->run->immediate_exit = 0;
	sh->paused = 1;
}

static void serve(struct shared *sh)
{
	for (;;) {
		if (__atomic_load_n(&sh->cmd, __ATOMIC_ACQUIRE)) {
			sh->ret = sh->fn(sh, sh->arg);
			__atomic_store_n(&sh->cmd, 0, __ATOMIC_RELEASE);
		} else if (sh->pause || sh->ended) {
			if (sh->pause == 1 && !sh->paused && !sh->ended)
				finish_exit(sh);
			sh->paused = 1;
			usleep(300);
		} else {
			sh->paused = 0;
			run_once(sh);
		}
	}
}

static void on_kick(int sig)
{
	(void)sig;
}

static void victim_main(struct shared *sh, bool protect)
{
	struct sigaction kick = { .sa_handler = on_kick };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &kick, NULL);
	make_vm(sh);
	set_cpuid(sh);
	if (protect)
		protect_vm(sh);
	sh->ready = 1;
	serve(sh);
}

/* --- in the driver ------------------------------------------------------------ */

uint64_t pagemap(pid_t pid, const void *hva)
{
	char path[64];
	uint64_t e = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, &e, 8, (off_t)((uintptr_t)hva / PAGE * 8)) != 8)
		e = 0;
	close(fd);
	return e >> 63 ? e & ((1ULL << 55) - 1) : 0;
}

void victim_frames(struct victim *v)
{
	unsigned int i;

	for (i = 0; i < RAM_PAGES + ROM_PAGES; i++)
		if (!v->pfn[i])
			v->pfn[i] = pagemap(v->pid, i < RAM_PAGES ? v->sh->ram + i * PAGE :
					    v->sh->rom + (i - RAM_PAGES) * PAGE);
}

uint64_t pfn_of(const struct victim *v, uint64_t gpa)
{
	if (gpa >= ROM_GPA)
		return v->pfn[RAM_PAGES + (gpa - ROM_GPA) / PAGE];
	return v->pfn[gpa / PAGE];
}

static bool wait_for(const int *flag, int value, unsigned int ms)
{
	uint64_t end = now_ms() + ms;

	while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) != value) {
		if (now_ms() > end)
			return false;
		usleep(300);
	}
	return true;
}

struct victim *victim_start(bool protect, bool run, int vcpus, const struct atk_secret *half)
{
	struct victim *v = calloc(1, sizeof(*v));

	v->protected = protect;
	v->sh = mmap(NULL, sizeof(*v->sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	v->sh->half = *half;
	v->sh->vcpus = vcpus;
	v->sh->pause = run ? 0 : 2;
	v->pid = fork();
	if (!v->pid) {
		victim_main(v->sh, protect);
		_exit(1);
	}
	if (!wait_for(&v->sh->ready, 1, 20000))
		errx(1, "a victim does not start");
	victim_frames(v);
	if (run && !victim_well(v, 2))
		errx(1, "a victim is not well from the start: %.60s, ended %d", v->sh->log,
		     v->sh->ended);
	return v;
}

void victim_kill(struct victim *v)
{
	kill(v->pid, SIGKILL);
	waitpid(v->pid, NULL, 0);
	munmap(v->sh, sizeof(*v->sh));
	free(v);
}

uint64_t victim_release(struct victim *v)
{
	struct underpin_vm_release r = { .id = (uint32_t)v->sh->id };
	struct atk_zero z = { .list = (uintptr_t)v->pfn, .count = RAM_PAGES + ROM_PAGES };

	if (ioctl(underpin_fd, UNDERPIN_VM_RELEASE, &r) && errno != ENOENT)
		note("UNDERPIN_VM_RELEASE: %s", strerror(errno));
	if (!v->loose)
		must(ioctl(attack_fd, ATK_ZERO, &z), "ATK_ZERO");
	return z.dirty;
}

int victim_do(struct victim *v, victim_fn fn, const void *arg, size_t len)
{
	struct shared *sh = v->sh;

	if (len)
		memcpy(sh->arg, arg, len);
	sh->fn = fn;
	__atomic_store_n(&sh->cmd, 1, __ATOMIC_RELEASE);
	kill(v->pid, SIGUSR1);
	if (wait_for(&sh->cmd, 0, 20000))
		return sh->ret;
	note("the victim does not answer");
	sh->deaf = 1;
	return -1;
}

static int protect_fn(struct shared *sh, void *arg)
{
	(void)arg;
	protect_vm(sh);
	return 0;
}

void victim_protect(struct victim *v)
{
	if (victim_do(v, protect_fn, NULL, 0))
		errx(1, "a victim cannot be protected");
	v->protected = true;
}

void victim_pause(struct victim *v)
{
	if (v->sh->pause == 2 || v->sh->ended)
		return;
	__atomic_store_n(&v->sh->paused, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&v->sh->pause, 1, __ATOMIC_RELEASE);
	kill(v->pid, SIGUSR1);
	if (!wait_for(&v->sh->paused, 1, 3000))
		note("the victim does not pause");
}

void victim_resume(struct victim *v)
{
	v->sh->pause = 0;
}

static int checks_passed(const char *log, uint32_t from, uint32_t to, bool *broken)
{
	int passed = 0;

	for (; from < to; from++) {
		passed += log[from] == 'S';
		*broken |= log[from] == 'X' || log[from] == 'E';
	}
	return passed;
}

bool victim_well(struct victim *v, int checks)
{
	struct shared *sh = v->sh;
	uint32_t from = sh->nlog;
	uint64_t end = now_ms() + 400;
	bool broken = false;

	while (now_ms() < end && !sh->ended && !broken) {
		usleep(2000);
		if (checks_passed(sh->log, from, __atomic_load_n(&sh->nlog, __ATOMIC_ACQUIRE),
				  &broken) >= checks && !broken)
			return true;
	}
	return false;
}

bool has_secret(const struct victim *v, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint64_t q;
	size_t i;
	int n;

	for (i = 0; i + 8 <= len; i++)
		for (n = 0; n < 4; n++) {
			memcpy(&q, p + i, 8);
			q ^= v->sh->half.a[n];
			__asm__("" : "+r"(q));
			if (q == v->sh->half.b[n])
				return true;
		}
	return false;
}
