// SPDX-License-Identifier: GPL-2.0-only
/*
 * First program of the test machine.
 *
 * From the initramfs it loads the disk drivers, waits for the root disk and
 * moves there; in a Debian that has started by itself it is a service instead,
 * and is there already.  Then it waits for the job disk to hold a job (a tar archive),
 * unpacks it, runs it, and reports to the computer outside through the debug
 * port 0xe9, which both emulators pass on byte by byte without any delay.
 *
 * What is sent is a row of frames:
 *
 *	0x1e 'U' type length(4 bytes, little-endian) data
 *
 * with the types B (booted), R (ready, waiting for a job), J (job started),
 * 1 and 2 (bytes of the job's stdout and stderr), X (exit status, in decimal)
 * and E (something went wrong in here, in words).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEBUG_PORT	0xe9
#define WORK_DIR	"/root/underpin"
#define JOB_NAME	".job/run"	/* the archive's first member */
#define KLOG_CONSOLE_LEVEL 8

static const char *job_disk, *root_disk;

static void send_bytes(const void *data, size_t length)
{
	asm volatile("rep outsb" : "+S"(data), "+c"(length)
		     : "d"(DEBUG_PORT) : "memory");
}

static void send_frame(char type, const void *data, uint32_t length)
{
	unsigned char header[7] = { 0x1e, 'U', type };

	memcpy(header + 3, &length, sizeof(length));
	send_bytes(header, sizeof(header));
	send_bytes(data, length);
}

static void send_text(char type, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	send_frame(type, text, strlen(text));
}

static void __attribute__((noreturn)) give_up(const char *what)
{
	send_text('E', "%s: %s", what, strerror(errno));
	for (;;)
		pause();
}

static void nap(long milliseconds)
{
	struct timespec t = { milliseconds / 1000,
			      milliseconds % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		give_up(path);
	close(fd);
}

/* The image builder numbers the modules in the order of their dependencies. */
static void load_modules(void)
{
	struct dirent **names;
	int n = scandir("/modules", &names, NULL, alphasort);
	char path[512];

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		load_module(path);
	}
}

/* Linux names disks as their probes end, in any order: the job's has a partition. */
static int find_disks(void)
{
	static const char * const disks[][2] = {
		{ "/dev/sda1", "/dev/sdb" }, { "/dev/sdb1", "/dev/sda" },
	};

	for (int i = 0; i < 2; i++) {
		job_disk = disks[i][0];
		root_disk = disks[i][1];
		if (!access(job_disk, F_OK) && !access(root_disk, F_OK))
			return 1;
	}
	return 0;
}

static void wait_for_disks(void)
{
	for (int i = 0; !find_disks(); i++) {
		if (i == 3000)
			give_up("the disks");
		nap(5);
	}
}

static void mount_or_give_up(const char *source, const char *target,
			     const char *type)
{
	if (mount(source, target, type, 0, NULL))
		give_up(target);
}

/*
 * Nobody keeps the console open: a restored Bochs delivers characters that
 * nobody sent, and the terminal would echo them.
 */
static void leave_console(void)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		give_up("/dev/null");
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void move_to_root_disk(void)
{
	mount_or_give_up("dev", "/dev", "devtmpfs");
	leave_console();
	load_modules();
	wait_for_disks();
	mount_or_give_up(root_disk, "/new", "ext4");
	if (mount("/dev", "/new/dev", NULL, MS_MOVE, NULL) || chdir("/new") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		give_up("moving to the root disk");
	mount_or_give_up("proc", "/proc", "proc");
	mount_or_give_up("sys", "/sys", "sysfs");
	mount_or_give_up("tmp", "/tmp", "tmpfs");
	mount_or_give_up("run", "/run", "tmpfs");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mkdir("/dev/shm", 01777);
	mount("shm", "/dev/shm", "tmpfs", 0, NULL);
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, NULL);
	sethostname("underpin", 8);
}

/* Runs a program to its end; what it says goes the way the job's output goes. */
static int relay(pid_t child, int out, int err)
{
	struct pollfd fds[2] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
	static char buffer[65536];
	int open_fds = 2, status = -1, reaped = 0;

	while (open_fds) {
		/* Background processes may hold the pipes open: the job has
		 * ended when its first process has and nothing is left to read.
		 */
		int ready = poll(fds, 2, 20);
		int quiet = 1;

		for (int i = 0; ready > 0 && i < 2; i++) {
			if (!fds[i].revents)
				continue;
			ssize_t n = read(fds[i].fd, buffer, sizeof(buffer));

			if (n > 0) {
				send_frame('1' + i, buffer, n);
				quiet = 0;
			} else {
				fds[i].fd = -1;
				open_fds--;
			}
		}
		int s;
		pid_t pid;

		while (!reaped && (pid = waitpid(-1, &s, WNOHANG)) > 0) {
			if (pid != child)
				continue;
			status = s;
			reaped = 1;
			quiet = 0;
		}
		if (reaped && quiet)
			break;
	}
	while (!reaped) {
		pid_t pid = waitpid(-1, &status, 0);

		if (pid == child || (pid < 0 && errno != EINTR))
			reaped = 1;
	}
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int run(char *const argv[])
{
	int out[2], err[2];
	pid_t child;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		give_up("pipe");
	fcntl(out[1], F_SETPIPE_SZ, 1 << 20);
	child = fork();
	if (child < 0)
		give_up("fork");
	if (!child) {
		setsid();
		ioperm(DEBUG_PORT, 1, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		execvp(argv[0], argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	int status = relay(child, out[0], err[0]);

	close(out[0]);
	close(err[0]);
	return status;
}

/*
 * Reads past the page cache, so that a machine whose saved state waits here
 * sees the job that was put on the disk later.
 */
static void wait_for_job(void)
{
	static char sector[4096] __attribute__((aligned(4096)));
	int fd = open(job_disk, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		give_up(job_disk);
	send_text('R', "ready");
	for (;;) {
		if (pread(fd, sector, sizeof(sector), 0) != sizeof(sector))
			give_up("reading the job disk");
		if (!strcmp(sector, JOB_NAME))
			break;
		nap(20);
	}
	close(fd);
}

static size_t read_file(const char *path, char *data, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, data, size - 1);

	close(fd);
	data[n > 0 ? n : 0] = '\0';
	return n > 0 ? n : 0;
}

/* A restored machine has an old clock and knows no new random numbers. */
static void renew_clock_and_entropy(void)
{
	struct {
		struct rand_pool_info info;
		char data[256];
	} seed;
	char data[256];
	struct timespec now = { 0, 0 };
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	/* As true entropy: a processor without RDRAND has none to reseed from. */
	seed.info.buf_size = read_file("/root/.job/seed", seed.data, sizeof(seed.data));
	seed.info.entropy_count = 8 * seed.info.buf_size;
	if (ioctl(fd, RNDADDENTROPY, &seed) || ioctl(fd, RNDRESEEDCRNG))
		give_up("/dev/urandom");
	close(fd);
	read_file("/root/.job/clock", data, sizeof(data));
	now.tv_sec = atoll(data);
	clock_settime(CLOCK_REALTIME, &now);
}

static void set_environment(void)
{
	clearenv();
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("TERM", "dumb", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("PATH", WORK_DIR ":/usr/local/sbin:/usr/local/bin:"
	       "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

int main(void)
{
	char *unpack[] = { "tar", "-xf", NULL, "-C", "/root", NULL };
	char *const job[] = { "/bin/sh", "/root/" JOB_NAME, NULL };
	int status;

	if (ioperm(DEBUG_PORT, 1, 1))
		return 1;
	send_text('B', "booted");
	if (getpid() == 1)
		move_to_root_disk();
	else
		wait_for_disks();
	set_environment();
	wait_for_job();
	unpack[2] = (char *)job_disk;
	status = run(unpack);
	if (status || chdir(WORK_DIR)) {
		send_text('E', "the job's archive could not be unpacked");
		for (;;)
			pause();
	}
	renew_clock_and_entropy();
	klogctl(KLOG_CONSOLE_LEVEL, NULL, 8);
	send_text('J', "job");
	status = run(job);
	sync();
	send_text('X', "%d", status);
	for (;;)
		pause();
}
