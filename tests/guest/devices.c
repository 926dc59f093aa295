// SPDX-License-Identifier: GPL-2.0
/*
 * The only program of a protected guest with devices: loads their drivers, reads and writes
 * its disk, speaks with a server by network, counts its processors, and powers off.  With
 * ending=reboot on the kernel's command line it reboots, with ending=PATH it becomes that
 * program (make try); with measure=1 it says instead what disk, network and an access to a
 * device take (tests/bench).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define BLOCK		4096
#define BLOCKS		64
#define ADDRESS		"10.0.2.15"	/* QEMU's user network */
#define SERVER		"10.0.2.100"
#define PORT		1234

static void say(const char *what, const char *result)
{
	printf("devices: %s: %s\n", what, result);
	fflush(stdout);
}

static void load(const char *module)
{
	int fd = open(module, O_RDONLY);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		say(module, strerror(errno));
	close(fd);
}

/* Each processor, by running on it. */
static void count_processors(void)
{
	cpu_set_t set;
	int cpu, n = 0;
	char text[16];

	for (cpu = 0; cpu < 64; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (!sched_setaffinity(0, sizeof(set), &set) && sched_getcpu() == cpu)
			n++;
	}
	snprintf(text, sizeof(text), "%d", n);
	say("processors", text);
}

/* Ticks of the time-stamp counter that CPUID takes: the least of some, without an interrupt. */
static void time_cpuid(void)
{
	unsigned long long least = ~0ULL, ticks;
	unsigned int a, b, c, d, turn;
	char text[24];

	for (turn = 0; turn < 64; turn++) {
		ticks = __rdtsc();
		__cpuid_count(1, 0, a, b, c, d);
		ticks = __rdtsc() - ticks;
		if (ticks < least)
			least = ticks;
	}
	snprintf(text, sizeof(text), "%llu", least);
	say("cpuid", text);
}

static void fill(unsigned char *block, int n, unsigned char seed)
{
	for (int i = 0; i < BLOCK; i++)
		block[i] = (unsigned char)(seed + n * 37 + i * 11 + (i >> 8));
}

/* What the host put there, then a pattern over it, read back past the page cache. */
static const char *use_disk(void)
{
	static unsigned char block[BLOCK] __attribute__((aligned(BLOCK))), want[BLOCK];
	int fd = open("/dev/vda", O_RDWR | O_DIRECT | O_SYNC), n;

	if (fd < 0)
		return strerror(errno);
	for (n = 0; n < BLOCKS; n++) {
		fill(want, n, 1);
		if (pread(fd, block, BLOCK, (off_t)n * BLOCK) != BLOCK)
			return strerror(errno);
		if (memcmp(block, want, BLOCK))
			return "not what the host wrote";
		fill(block, n, 2);
		if (pwrite(fd, block, BLOCK, (off_t)n * BLOCK) != BLOCK)
			return strerror(errno);
	}
	for (n = 0; n < BLOCKS; n++) {
		fill(want, n, 2);
		if (pread(fd, block, BLOCK, (off_t)n * BLOCK) != BLOCK ||
		    memcmp(block, want, BLOCK))
			return "not what was written";
	}
	close(fd);
	return "ok";
}

static int interface_up(void)
{
	struct sockaddr_in *in;
	struct ifreq r = { .ifr_name = "eth0" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	in = (struct sockaddr_in *)&r.ifr_addr;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = inet_addr(ADDRESS);
	if (ioctl(s, SIOCSIFADDR, &r))
		return -1;
	in->sin_addr.s_addr = inet_addr("255.255.255.0");
	if (ioctl(s, SIOCSIFNETMASK, &r) || ioctl(s, SIOCGIFFLAGS, &r))
		return -1;
	r.ifr_flags |= IFF_UP;
	return ioctl(s, SIOCSIFFLAGS, &r);
}

/* Return: a stream, or -1 */
static int connected(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int s, turn;

	if (interface_up())
		return -1;
	to.sin_addr.s_addr = inet_addr(SERVER);
	for (turn = 0; turn < 20; turn++) {
		s = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(s, (struct sockaddr *)&to, sizeof(to)))
			return s;
		close(s);
		sleep(1);
	}
	return -1;
}

static const char *use_network(void)
{
	static char text[128];
	int s = connected(), n;

	n = s >= 0 ? (int)read(s, text, sizeof(text) - 1) : -1;
	if (n < 0)
		return strerror(errno);
	if (!n)
		return "the server says nothing";
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Lines that have this text.  Return: how many */
static int show(const char *path, const char *with, bool quietly)
{
	FILE *f = fopen(path, "r");
	char line[4096];
	int n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, with))
			continue;
		n++;
		if (!quietly)
			printf("devices: %s", line);
	}
	if (f)
		fclose(f);
	fflush(stdout);
	return n;
}

/* --- what they take ------------------------------------------------------------------ */

#define MIB		(1u << 20)
#define DISK_MIB	16
#define PIECE		(64u << 10)
#define ACCESSES	1000

static unsigned char piece[PIECE] __attribute__((aligned(BLOCK)));

static unsigned int read_disk(void)
{
	int fd = open("/dev/vda", O_RDONLY | O_DIRECT);
	unsigned int n = 0;

	while (n < DISK_MIB * MIB && read(fd, piece, PIECE) == PIECE)
		n += PIECE;
	close(fd);
	return n / MIB;
}

static unsigned int write_disk(void)
{
	int fd = open("/dev/vda", O_WRONLY | O_DIRECT);
	unsigned int n = 0;

	while (n < DISK_MIB * MIB && write(fd, piece, PIECE) == PIECE)
		n += PIECE;
	close(fd);
	return n / MIB;
}

/* All that the server has to say. */
static unsigned int read_network(void)
{
	unsigned int n = 0;
	int s = connected();
	ssize_t got;

	while ((got = read(s, piece, PIECE)) > 0)
		n += (unsigned int)got;
	close(s);
	return n / MIB;
}

static unsigned int read_attribute(const char *path)
{
	int fd = open(path, O_RDONLY);
	unsigned int n = 0;
	char text[32];

	while (n < ACCESSES && pread(fd, text, sizeof(text), 0) > 0)
		n++;
	close(fd);
	return n;
}

/* The driver reads the device's register once for this, */
static unsigned int read_register(void)
{
	return read_attribute("/sys/bus/virtio/devices/virtio0/status");
}

/* and for this it has the answer. */
static unsigned int read_no_register(void)
{
	return read_attribute("/sys/bus/virtio/devices/virtio0/vendor");
}

static unsigned int do_nothing(void)
{
	return 1;
}

/* Before and behind it some time, in which the host looks at its counters. */
static void measure_one(const char *name, unsigned int (*fn)(void))
{
	unsigned long long ticks;
	unsigned int units;
	char text[48];

	say("begin", name);
	usleep(300000);
	ticks = __rdtsc();
	units = fn();
	ticks = __rdtsc() - ticks;
	snprintf(text, sizeof(text), "%s %u %llu", name, units, ticks);
	say("end", text);
	usleep(300000);
}

static void measure(void)
{
	static const struct {
		const char *name;
		unsigned int (*fn)(void);
	} rows[] = {
		{ "nothing", do_nothing }, { "disk_read", read_disk },
		{ "disk_write", write_disk }, { "network", read_network },
		{ "register", read_register }, { "no_register", read_no_register },
	};

	mkdir("/sys", 0755);
	mount("sys", "/sys", "sysfs", 0, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		measure_one(rows[i].name, rows[i].fn);
}

int main(void)
{
	const char *ending = getenv("ending");

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	time_cpuid();
	say("encryption", show("/proc/cpuinfo", "tdx_guest", true) ? "Intel TDX" : "none");
	load("/virtio_blk.ko");
	load("/failover.ko");
	load("/net_failover.ko");
	load("/virtio_net.ko");
	if (getenv("measure")) {
		measure();
		reboot(RB_POWER_OFF);
	}
	count_processors();
	say("disk", use_disk());
	say("network", use_network());
	show("/proc/interrupts", "virtio", false);
	sync();
	if (ending && *ending == '/')
		execl(ending, ending, (char *)NULL);
	sleep(2);	/* to be looked at */
	reboot(ending && !strcmp(ending, "reboot") ? RB_AUTOBOOT : RB_POWER_OFF);
	for (;;)
		pause();
}
