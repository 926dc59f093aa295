// SPDX-License-Identifier: GPL-2.0
/*
 * First and only program of a machine's second kernel, that kexec or a panic has started.
 * It says through port 0xe9, as tests/image/init.c does, what it finds: one line a fact.
 * After a panic it reads all of the first kernel's memory, and counts what the words
 * protected=HEX and ordinary=HEX of its command line name; after kexec it uses all memory,
 * and lets the layer in and out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define PORT	0xe9
#define PAGE	4096u
#define SECRET	32
#define KERNELS	32768u		/* pages that the kernel wants for itself, or is out of memory */
#define CHUNK	(1 << 20)

static void send_bytes(const void *data, size_t length)
{
	__asm__ volatile("rep outsb" : "+S"(data), "+c"(length) : "d"(PORT) : "memory");
}

static void send_frame(char type, const char *text)
{
	unsigned char head[7] = { 0x1e, 'U', (unsigned char)type };
	uint32_t length = (uint32_t)strlen(text);

	memcpy(head + 3, &length, sizeof(length));
	send_bytes(head, sizeof(head));
	send_bytes(text, length);
}

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	send_frame('1', text);
}

/* The bytes of a word NAME=HEX of the command line. */
static int secret_of(const char *name, unsigned char *secret)
{
	static char line[4096];
	char *at;
	int fd = open("/proc/cmdline", O_RDONLY), i;

	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return -1;
	close(fd);
	at = strstr(line, name);
	for (i = 0; at && i < SECRET; i++)
		if (sscanf(at + strlen(name) + 2 * (size_t)i, "%2hhx", &secret[i]) != 1)
			return -1;
	return at ? 0 : -1;
}

/* How often each secret is there, at addresses that a guest's double words have. */
static void count(const uint64_t *data, size_t words, uint64_t secrets[2][SECRET / 8],
		  unsigned long found[2])
{
	const uint64_t first = secrets[0][0], second = secrets[1][0];
	size_t i;

	for (i = 0; i + SECRET / 8 <= words; i++)
		if (data[i] == first || data[i] == second)
			found[data[i] != first] += !memcmp(&data[i], secrets[data[i] != first],
							   SECRET);
}

static void read_vmcore(void)
{
	static uint64_t data[CHUNK / 8], secrets[2][SECRET / 8];
	unsigned long found[2] = { 0, 0 };
	uint64_t total = 0;
	struct stat st;
	ssize_t n;
	int fd = open("/proc/vmcore", O_RDONLY);

	if (fd < 0 || fstat(fd, &st) || secret_of("protected=", (unsigned char *)secrets[0]) ||
	    secret_of("ordinary=", (unsigned char *)secrets[1])) {
		say("vmcore: %s\n", strerror(errno));
		return;
	}
	while ((n = read(fd, data, CHUNK)) > 0) {
		total += (uint64_t)n;
		count(data, (size_t)n / 8, secrets, found);
	}
	say("vmcore: %lu of %lu MiB read\n", total >> 20, (uint64_t)st.st_size >> 20);
	say("vmcore: protected %lu\nvmcore: ordinary %lu\n", found[0], found[1]);
	close(fd);
}

/* Nearly all memory, each page with a value of its own that has to stay. */
static void use_memory(void)
{
	struct sysinfo info;
	size_t pages, i, bad = 0;
	uint64_t *m;

	sysinfo(&info);
	pages = info.freeram * (size_t)info.mem_unit / PAGE - KERNELS;
	m = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m == MAP_FAILED) {
		say("memory: %s\n", strerror(errno));
		return;
	}
	madvise(m, pages * PAGE, MADV_HUGEPAGE);
	for (i = 0; i < pages; i++) {
		m[i * (PAGE / 8)] = i * 0x9e3779b97f4a7c15;
		m[i * (PAGE / 8) + 511] = i * 0x9e3779b97f4a7c15;
	}
	for (i = 0; i < pages; i++)
		bad += m[i * (PAGE / 8)] != i * 0x9e3779b97f4a7c15 ||
		       m[i * (PAGE / 8) + 511] != i * 0x9e3779b97f4a7c15;
	say("memory: %zu MiB used, %zu pages bad\n", pages / 256, bad);
	munmap(m, pages * PAGE);
}

static void try_layer(void)
{
	int fd = open("/underpin.ko", O_RDONLY);
	long in = syscall(SYS_finit_module, fd, "", 0), out;
	int err = errno;

	say("insmod: %s\n", in ? strerror(err) : "ok");
	out = syscall(SYS_delete_module, "underpin", 0);
	say("rmmod: %s\n", out ? strerror(errno) : "ok");
}

/* What the driver of VT-d's units has said. */
static void say_units(void)
{
	static char record[8192];
	char *text;
	ssize_t n;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	while (fd >= 0 && (n = read(fd, record, sizeof(record) - 1)) > 0) {
		record[n] = 0;
		text = strstr(record, "DMAR: ");
		if (text)
			say("%.200s", text);
	}
	close(fd);
}

int main(void)
{
	iopl(3);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	say("second kernel: user space\n");
	say_units();
	send_frame('F', "");
	if (!access("/proc/vmcore", F_OK)) {
		read_vmcore();
	} else {
		use_memory();
		try_layer();
	}
	send_frame('X', "0");
	for (;;)
		pause();
}
