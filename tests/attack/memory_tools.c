// SPDX-License-Identifier: GPL-2.0
/*
 * The VMM and root against a VM by ordinary means: the KVM interface, memory
 * management of Linux, core dumps and signals.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>
#include "attack.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define GUEST_CR3_VALUE	0x11000u
#define EVIL		0x4444444444444444ULL

/* --- the KVM interface ----------------------------------------------------------- */

static void finish(struct shared *sh)
{
	sh->run->immediate_exit = 1;
	ioctl(sh->vcpu, KVM_RUN, 0);
	sh->run->immediate_exit = 0;
}

/* arg: an ioctl number; the answer lies in sh->page afterwards */
static int get_fn(struct shared *sh, void *arg)
{
	finish(sh);
	memset(sh->page, 0, PAGE);
	return ioctl(sh->vcpu, *(unsigned long *)arg, sh->page);
}

static bool get(struct victim *v, unsigned long what)
{
	bool leaks;

	if (victim_do(v, get_fn, &what, sizeof(what)))
		note("the ioctl fails");
	leaks = has_secret(v, v->sh->page, PAGE);
	memset(v->sh->page, 0, PAGE);
	return leaks;
}

#define GET(name, what) static bool name(struct victim *v) { return get(v, what); }
GET(get_regs, KVM_GET_REGS)
GET(get_xsave, KVM_GET_XSAVE)
GET(get_debugregs, KVM_GET_DEBUGREGS)

static bool get_sregs(struct victim *v)
{
	struct kvm_sregs *s = (struct kvm_sregs *)v->sh->page;
	unsigned long what = KVM_GET_SREGS;

	victim_do(v, get_fn, &what, sizeof(what));
	note("CR3 %#llx", s->cr3);
	return s->cr3 == GUEST_CR3_VALUE || has_secret(v, s, sizeof(*s));
}

static int set_regs_fn(struct shared *sh, void *arg)
{
	struct kvm_regs r;

	(void)arg;
	finish(sh);
	if (ioctl(sh->vcpu, KVM_GET_REGS, &r))
		return -1;
	r.r8 = r.r9 = r.r13 = EVIL;
	return ioctl(sh->vcpu, KVM_SET_REGS, &r);
}

static int set_sregs_fn(struct shared *sh, void *arg)
{
	struct kvm_sregs s;

	(void)arg;
	finish(sh);
	if (ioctl(sh->vcpu, KVM_GET_SREGS, &s))
		return -1;
	s.cr3 = 0x300000;
	return ioctl(sh->vcpu, KVM_SET_SREGS, &s);
}

static int set_xsave_fn(struct shared *sh, void *arg)
{
	struct kvm_xsave x;

	(void)arg;
	finish(sh);
	if (ioctl(sh->vcpu, KVM_GET_XSAVE, &x))
		return -1;
	memset((uint8_t *)&x + 160, 0x44, 128);		/* xmm0 to xmm7 */
	((uint64_t *)&x)[64] |= 2;
	return ioctl(sh->vcpu, KVM_SET_XSAVE, &x);
}

static int set_debugregs_fn(struct shared *sh, void *arg)
{
	struct kvm_debugregs d = { .db = { 1, 2, 3, 4 }, .dr6 = 0xffff0ff0, .dr7 = 0x400 };

	(void)arg;
	finish(sh);
	return ioctl(sh->vcpu, KVM_SET_DEBUGREGS, &d);
}

static int single_step_fn(struct shared *sh, void *arg)
{
	struct kvm_guest_debug d = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };
	int i, steps = 0;

	(void)arg;
	finish(sh);
	ioctl(sh->vcpu, KVM_SET_GUEST_DEBUG, &d);
	for (i = 0; i < 4 && !ioctl(sh->vcpu, KVM_RUN, 0); i++) {
		steps += sh->run->exit_reason == KVM_EXIT_DEBUG;
		if (sh->run->exit_reason == KVM_EXIT_IO)
			victim_io(sh, sh->run);
	}
	d.control = 0;
	ioctl(sh->vcpu, KVM_SET_GUEST_DEBUG, &d);
	return steps;
}

static int other_slot_fn(struct shared *sh, void *arg)
{
	struct kvm_userspace_memory_region region = { .memory_size = RAM_SIZE };
	uint8_t *mem = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region none = region;

	(void)arg;
	none.memory_size = 0;
	if (ioctl(sh->vm, KVM_SET_USER_MEMORY_REGION, &none))
		return -1;
	region.userspace_addr = (uintptr_t)mem;
	return ioctl(sh->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static bool set(struct victim *v, victim_fn fn)
{
	if (victim_do(v, fn, NULL, 0) < 0)
		note("the ioctl fails");
	return disturbed(v);
}

#define SET(name, fn) static bool name(struct victim *v) { return set(v, fn); }
SET(set_regs, set_regs_fn)
SET(set_sregs, set_sregs_fn)
SET(set_xsave, set_xsave_fn)
SET(set_debugregs, set_debugregs_fn)
SET(other_slot, other_slot_fn)

static bool single_step(struct victim *v)
{
	int steps = victim_do(v, single_step_fn, NULL, 0);

	note("%d steps", steps);
	return steps > 0;
}

/* --- memory management ------------------------------------------------------------ */

struct advice {
	uint64_t gpa, len;
	int first, second;
};

static int advise_fn(struct shared *sh, void *arg)
{
	struct advice *a = arg;

	if (a->first)
		madvise(sh->ram + a->gpa, a->len, a->first);
	return madvise(sh->ram + a->gpa, a->len, a->second) ? -errno : 0;
}

static int advise(struct victim *v, uint64_t gpa, uint64_t len, int first, int second)
{
	const struct advice a = { gpa, len, first, second };
	int ret = victim_do(v, advise_fn, &a, sizeof(a));

	if (ret < 0)
		note("madvise: %s", strerror(-ret));
	return ret;
}

static bool dontneed(struct victim *v)
{
	v->loose = true;
	advise(v, 0, RAM_SIZE, 0, MADV_DONTNEED);
	return disturbed(v);
}

static int unmap_fn(struct shared *sh, void *arg)
{
	(void)arg;
	return munmap(sh->ram, RAM_SIZE);
}

static bool unmap(struct victim *v)
{
	v->loose = true;
	victim_do(v, unmap_fn, NULL, 0);
	return disturbed(v);
}

/* Two MiB of small pages become one: all of them move. */
static bool migrate(struct victim *v)
{
	uint64_t now;

	advise(v, SECRET_GPA, 2u << 20, MADV_HUGEPAGE, MADV_COLLAPSE);
	now = pagemap(v->pid, v->sh->ram + SECRET_GPA);
	note("the secret's frame: %#lx, was %#lx", now, pfn_of(v, SECRET_GPA));
	v->loose |= now != pfn_of(v, SECRET_GPA);
	return now != pfn_of(v, SECRET_GPA) || disturbed(v);
}

static bool swap_on(void)
{
	static bool on;

	if (!on)
		on = !system("dd if=/dev/zero of=/swap bs=1M count=8 2>/dev/null && "
			     "chmod 600 /swap && mkswap /swap >/dev/null") && !swapon("/swap", 0);
	return on;
}

static bool page_out(struct victim *v)
{
	uint64_t now;

	if (!swap_on())
		note("there is no swap space");
	advise(v, SPARE_GPA, 64 * PAGE, 0, MADV_PAGEOUT);
	now = pagemap(v->pid, v->sh->ram + SPARE_GPA);
	note("the spare page's frame: %#lx, was %#lx", now, pfn_of(v, SPARE_GPA));
	v->loose |= now != pfn_of(v, SPARE_GPA);
	return now != pfn_of(v, SPARE_GPA) || disturbed(v);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		note("%s: %s", path, strerror(errno));
	close(fd);
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

#define KSM	"/sys/kernel/mm/ksm/"

static bool merge(struct victim *v)
{
	char path[64];
	long scans, merged;
	uint64_t end;

	advise(v, 0, RAM_SIZE, 0, MADV_MERGEABLE);
	write_file(KSM "pages_to_scan", "2000");
	write_file(KSM "sleep_millisecs", "1");
	scans = read_number(KSM "full_scans");
	write_file(KSM "run", "1");
	for (end = now_ms() + 2000; now_ms() < end && read_number(KSM "full_scans") < scans + 3; )
		nap(5);
	snprintf(path, sizeof(path), "/proc/%d/ksm_merging_pages", v->pid);
	merged = read_number(path);
	note("%ld pages merged", merged);
	advise(v, 0, RAM_SIZE, 0, MADV_UNMERGEABLE);
	write_file(KSM "run", "0");
	v->loose |= merged > 0;
	return merged > 0 || disturbed(v);
}

/* Compaction moves what it can, wherever it is. */
static bool compact(struct victim *v)
{
	unsigned int i, moved = 0;

	write_file("/proc/sys/vm/compact_memory", "1");
	write_file("/proc/sys/vm/drop_caches", "3");
	for (i = 0; i < RAM_PAGES; i++)
		moved += v->pfn[i] &&
			  pagemap(v->pid, v->sh->ram + i * PAGE) != v->pfn[i];
	note("%u of %u frames moved", moved, RAM_PAGES);
	v->loose |= moved;
	return v->protected ? moved || disturbed(v) : true;
}

/* --- the end of the process -------------------------------------------------------- */

static bool file_has_secret(const struct victim *v, const char *path)
{
	uint8_t page[PAGE];
	int fd = open(path, O_RDONLY);
	bool found = false;
	ssize_t n;

	if (fd < 0) {
		note("%s: %s", path, strerror(errno));
		return false;
	}
	while (!found && (n = read(fd, page, PAGE)) > 0)
		found = has_secret(v, page, (size_t)n);
	close(fd);
	return found;
}

static int abort_fn(struct shared *sh, void *arg)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)sh;
	(void)arg;
	setrlimit(RLIMIT_CORE, &all);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static bool core_dump(struct victim *v)
{
	uint64_t end = now_ms() + 5000;
	int status = 0;
	bool found;

	v->loose = true;
	write_file("/proc/sys/kernel/core_pattern", "/tmp/core");
	v->sh->fn = abort_fn;
	__atomic_store_n(&v->sh->cmd, 1, __ATOMIC_RELEASE);
	kill(v->pid, SIGUSR1);
	while (waitpid(v->pid, &status, WNOHANG) != v->pid && now_ms() < end)
		nap(5);
	note("status %#x%s", status, WCOREDUMP(status) ? ", core dumped" : "");
	found = file_has_secret(v, "/tmp/core");
	unlink("/tmp/core");
	return found || !WCOREDUMP(status);
}

/* What a process leaves behind is in no hurry to be overwritten. */
static bool sigkill(struct victim *v)
{
	unsigned int i, found = 0;
	uint8_t page[PAGE];

	v->loose = true;
	kill(v->pid, SIGKILL);
	waitpid(v->pid, NULL, 0);
	for (i = SECRET_GPA / PAGE - 2; i < SECRET_GPA / PAGE + 2; i++)
		if (!mem_read(v->pfn[i] * PAGE, page, PAGE, ATK_DIRECT))
			found += has_secret(v, page, PAGE);
	nap(300);
	if (!mem_read(pfn_of(v, SECRET_GPA) * PAGE, page, PAGE, ATK_DIRECT))
		found += has_secret(v, page, PAGE);
	memset(page, 0, PAGE);
	return found;
}

const struct attack tool_attacks[] = {
	{ 13, "KVM_GET_REGS", get_regs, 0 },
	{ 14, "KVM_GET_XSAVE", get_xsave, 0 },
	{ 15, "KVM_GET_DEBUGREGS", get_debugregs, 0 },
	{ 16, "KVM_GET_SREGS", get_sregs, 0 },
	{ 17, "KVM_SET_REGS", set_regs, TAINTS },
	{ 18, "KVM_SET_SREGS", set_sregs, TAINTS },
	{ 19, "KVM_SET_XSAVE", set_xsave, TAINTS },
	{ 20, "KVM_SET_DEBUGREGS", set_debugregs, TAINTS },
	{ 21, "KVM_SET_GUEST_DEBUG: single steps", single_step, TAINTS },
	{ 22, "KVM_SET_USER_MEMORY_REGION: other memory", other_slot, TAINTS },
	{ 23, "MADV_DONTNEED over the VM's memory", dontneed, TAINTS | ENDS },
	{ 24, "munmap of the VM's memory", unmap, TAINTS | ENDS },
	{ 25, "migration of the VM's pages (MADV_COLLAPSE)", migrate, TAINTS },
	{ 26, "reclaim of the VM's pages to swap (MADV_PAGEOUT)", page_out, TAINTS },
	{ 27, "KSM over the VM's memory", merge, TAINTS },
	{ 28, "core dump of the VMM", core_dump, TAINTS | ENDS },
	{ 29, "SIGKILL of the VMM, then its frames", sigkill, TAINTS | ENDS },
	{ 42, "compaction of all memory", compact, 0 },
	{ 0 }
};
