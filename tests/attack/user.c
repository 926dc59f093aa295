// SPDX-License-Identifier: GPL-2.0
/* Root in user space: what debuggers and tools do to a process. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "attack.h"

static const uint64_t evil = 0x4242424242424242;

static uint8_t *secret_hva(struct victim *v)
{
	return v->sh->ram + SECRET_GPA;
}

/* --- /proc/PID/mem, process_vm_*, ptrace -------------------------------------- */

static int open_mem(struct victim *v)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", v->pid);
	fd = open(path, O_RDWR);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static bool proc_mem_read(struct victim *v)
{
	uint8_t page[PAGE] = { 0 };
	int fd = open_mem(v);

	if (pread(fd, page, PAGE, (off_t)(uintptr_t)secret_hva(v)) < 0)
		note("read: %s", strerror(errno));
	close(fd);
	return has_secret(v, page, PAGE);
}

static ssize_t mem_rw(struct victim *v, uint64_t *word, bool write)
{
	int fd = open_mem(v);
	off_t at = (off_t)(uintptr_t)secret_hva(v);
	ssize_t n = write ? pwrite(fd, word, 8, at) : pread(fd, word, 8, at);

	close(fd);
	return n;
}

/* One write attack: change a word, see whether the VM notices, change it back. */
static bool write_word(struct victim *v, ssize_t (*rw)(struct victim *v, uint64_t *w, bool write))
{
	uint64_t old = 0, new = evil;
	bool hurt;

	rw(v, &old, false);
	if (rw(v, &new, true) < 0)
		note("write: %s", strerror(errno));
	hurt = disturbed(v);
	rw(v, &old, true);
	return hurt;
}

static bool proc_mem_write(struct victim *v)
{
	return write_word(v, mem_rw);
}

static bool vm_readv(struct victim *v)
{
	uint8_t page[PAGE] = { 0 };
	struct iovec here = { page, PAGE }, there = { secret_hva(v), PAGE };

	if (process_vm_readv(v->pid, &here, 1, &there, 1, 0) < 0)
		note("process_vm_readv: %s", strerror(errno));
	return has_secret(v, page, PAGE);
}

static ssize_t vm_rw(struct victim *v, uint64_t *word, bool write)
{
	struct iovec here = { word, 8 }, there = { secret_hva(v), 8 };

	if (write)
		return process_vm_writev(v->pid, &here, 1, &there, 1, 0);
	return process_vm_readv(v->pid, &here, 1, &there, 1, 0);
}

static bool vm_writev(struct victim *v)
{
	return write_word(v, vm_rw);
}

static bool attach(struct victim *v)
{
	if (ptrace(PTRACE_ATTACH, v->pid, NULL, NULL)) {
		note("PTRACE_ATTACH: %s", strerror(errno));
		return false;
	}
	waitpid(v->pid, NULL, 0);
	return true;
}

static bool peek(struct victim *v)
{
	uint64_t words[4];
	int i;

	if (!attach(v))
		return false;
	for (i = 0; i < 4; i++)
		words[i] = (uint64_t)ptrace(PTRACE_PEEKDATA, v->pid, secret_hva(v) + 8 * i, NULL);
	ptrace(PTRACE_DETACH, v->pid, NULL, NULL);
	return has_secret(v, words, sizeof(words));
}

static ssize_t poke_rw(struct victim *v, uint64_t *word, bool write)
{
	ssize_t ret = 0;

	if (!attach(v))
		return -1;
	if (write)
		ret = ptrace(PTRACE_POKEDATA, v->pid, secret_hva(v), (void *)*word);
	else
		*word = (uint64_t)ptrace(PTRACE_PEEKDATA, v->pid, secret_hva(v), NULL);
	ptrace(PTRACE_DETACH, v->pid, NULL, NULL);
	return ret;
}

static bool poke(struct victim *v)
{
	return write_word(v, poke_rw);
}

/* --- by the process itself ------------------------------------------------------ */

static sigjmp_buf out_of_it;

static void on_fault(int sig)
{
	siglongjmp(out_of_it, sig);
}

/* Returns the signal that a copy was ended by, or 0. */
static int copy_or_fault(void *to, const void *from, size_t len)
{
	struct sigaction sa = { .sa_handler = on_fault }, old[2];
	int sig;

	sigaction(SIGSEGV, &sa, &old[0]);
	sigaction(SIGBUS, &sa, &old[1]);
	sig = sigsetjmp(out_of_it, 1);
	if (!sig)
		memcpy(to, from, len);
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return sig;
}

static int self_read_fn(struct shared *sh, void *arg)
{
	(void)arg;
	memset(sh->page, 0, PAGE);
	return copy_or_fault(sh->page, sh->ram + SECRET_GPA, PAGE);
}

static bool page_leaks(struct victim *v)
{
	bool leaks = has_secret(v, v->sh->page, PAGE);

	memset(v->sh->page, 0, PAGE);
	return leaks;
}

static bool self_read(struct victim *v)
{
	int sig = victim_do(v, self_read_fn, NULL, 0);

	if (sig)
		note("the process gets signal %d", sig);
	return page_leaks(v);
}

/* As write_word(): @fn leaves the old word where the new one was. */
static bool change_word(struct victim *v, victim_fn fn)
{
	uint64_t word = evil;
	bool hurt;

	victim_do(v, fn, &word, 8);
	hurt = disturbed(v);
	if (hurt)
		victim_do(v, fn, v->sh->arg, 0);
	return hurt;
}

static int self_write_fn(struct shared *sh, void *arg)
{
	uint64_t old, *word = arg;
	int sig = copy_or_fault(&old, sh->ram + SECRET_GPA, 8);

	sig = copy_or_fault(sh->ram + SECRET_GPA, word, 8);
	if (!sig)
		*word = old;
	return sig;
}

static bool self_write(struct victim *v)
{
	return change_word(v, self_write_fn);
}

typedef ssize_t (*feed_fn)(int fd, const void *from);

static ssize_t feed_bytes(int fd, const void *from)
{
	return write(fd, from, PAGE);
}

/* Pages, not bytes, go through the pipe: read by the kernel's own mapping. */
static ssize_t feed_pages(int fd, const void *from)
{
	struct iovec iov = { (void *)(uintptr_t)from, PAGE };

	return vmsplice(fd, &iov, 1, 0);
}

/* The kernel reads for the process: guest memory through a pipe. */
static int pipe_out_fn(struct shared *sh, void *arg)
{
	feed_fn feed;
	int fds[2], n;

	memcpy(&feed, arg, sizeof(feed));
	memset(sh->page, 0, PAGE);
	if (pipe(fds))
		return -1;
	n = (int)feed(fds[1], sh->ram + SECRET_GPA);
	if (n > 0)
		n = (int)read(fds[0], sh->page, PAGE);
	else
		n = -errno;
	close(fds[0]);
	close(fds[1]);
	return n;
}

static bool pipe_out(struct victim *v, feed_fn feed, const char *what)
{
	int n = victim_do(v, pipe_out_fn, &feed, sizeof(feed));

	if (n < 0)
		note("%s: %s", what, strerror(-n));
	return page_leaks(v);
}

static bool write_out(struct victim *v)
{
	return pipe_out(v, feed_bytes, "write");
}

static bool splice_out(struct victim *v)
{
	return pipe_out(v, feed_pages, "vmsplice");
}

/* read(2) into guest memory. */
static int read_in_fn(struct shared *sh, void *arg)
{
	int fds[2], n;
	uint64_t old = 0;

	if (pipe(fds) || write(fds[1], arg, 8) != 8)
		return -1;
	copy_or_fault(&old, sh->ram + SECRET_GPA, 8);
	n = (int)read(fds[0], sh->ram + SECRET_GPA, 8);
	memcpy(arg, &old, 8);
	close(fds[0]);
	close(fds[1]);
	return n;
}

static bool read_in(struct victim *v)
{
	return change_word(v, read_in_fn);
}

/* A child gets a copy of what the parent has pinned. */
static int fork_fn(struct shared *sh, void *arg)
{
	pid_t pid = fork();

	(void)arg;
	if (!pid) {
		copy_or_fault(sh->page, sh->ram + SECRET_GPA, PAGE);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid;
}

static bool fork_copy(struct victim *v)
{
	victim_do(v, fork_fn, NULL, 0);
	return page_leaks(v);
}

const struct attack user_attacks[] = {
	{ 1, "read of /proc/PID/mem", proc_mem_read, 0 },
	{ 2, "write to /proc/PID/mem", proc_mem_write, 0 },
	{ 3, "process_vm_readv", vm_readv, 0 },
	{ 4, "process_vm_writev", vm_writev, 0 },
	{ 5, "ptrace PEEKDATA", peek, 0 },
	{ 6, "ptrace POKEDATA", poke, 0 },
	{ 7, "the VMM reads the VM's memory", self_read, 0 },
	{ 8, "the VMM writes to the VM's memory", self_write, 0 },
	{ 9, "write(2) from the VM's memory", write_out, 0 },
	{ 10, "read(2) into the VM's memory", read_in, 0 },
	{ 11, "vmsplice of the VM's memory", splice_out, 0 },
	{ 12, "fork of the VMM: the child's copy", fork_copy, 0 },
	{ 0 }
};
