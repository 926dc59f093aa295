// SPDX-License-Identifier: GPL-2.0
/* Stock QEMU and its own means of looking at a guest: monitor and gdbstub. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "attack.h"

#define PATCH_OFFSET	0xffb0
#define ANSWER		65536

struct qemu {
	pid_t pid;
	int qmp;
	char serial[32], firmware[32], socket[32];
};

static struct qemu qemus[2];

static void patch_firmware(const struct qemu *q, const struct atk_secret *half)
{
	static uint8_t rom[ROM_SIZE];
	int in = open("tiny-fw.bin", O_RDONLY), out;

	out = open(q->firmware, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (in < 0 || out < 0 || read(in, rom, ROM_SIZE) != ROM_SIZE)
		err(1, "%s", q->firmware);
	memcpy(rom + PATCH_OFFSET, half, sizeof(*half));
	if (write(out, rom, ROM_SIZE) != ROM_SIZE)
		err(1, "%s", q->firmware);
	close(in);
	close(out);
}

static void exec_qemu(const struct qemu *q, bool protect)
{
	char serial[64], qmp[80];
	char *argv[] = {
		"underpin", "vm", "run", "-q", "--",
		"qemu-system-x86_64", "-machine", "pc,hpet=off,smm=off,accel=kvm", "-cpu",
		"host,kvm=off", "-m", "16", "-nodefaults", "-no-reboot", "-display", "none",
		"-bios", (char *)q->firmware, "-serial", serial, "-qmp", qmp, NULL,
	};

	snprintf(serial, sizeof(serial), "file:%s", q->serial);
	snprintf(qmp, sizeof(qmp), "unix:%s,server=on,wait=off", q->socket);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execvp(argv[protect ? 0 : 5], argv + (protect ? 0 : 5));
	err(1, "QEMU");
}

static int count_of(const char *path, char c)
{
	char buf[4096];
	int fd = open(path, O_RDONLY), n = 0;
	ssize_t len, i;

	while (fd >= 0 && (len = read(fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < len; i++)
			n += buf[i] == c;
	close(fd);
	return n;
}

/* It passes two checks of its own, and says nothing else. */
static bool qemu_well(const struct qemu *q)
{
	int before = count_of(q->serial, 'S');
	uint64_t end = now_ms() + 3000;

	while (now_ms() < end && count_of(q->serial, 'S') < before + 2)
		nap(5);
	return count_of(q->serial, 'S') >= before + 2 && !count_of(q->serial, 'X') &&
	       !count_of(q->serial, 'E');
}

/* Reads until @until has been seen, or for @ms. */
static size_t answer(int fd, char *buf, const char *until, unsigned int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t end = now_ms() + ms;
	size_t len = 0;
	ssize_t n;

	buf[0] = 0;
	while (!strstr(buf, until) && now_ms() < end && len < ANSWER - 1) {
		if (poll(&p, 1, 50) <= 0)
			continue;
		n = read(fd, buf + len, ANSWER - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = 0;
	}
	return len;
}

static int open_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	uint64_t end = now_ms() + 20000;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	while (connect(fd, (struct sockaddr *)&a, sizeof(a)) && now_ms() < end)
		nap(5);
	return fd;
}

static char *qmp(struct qemu *q, const char *command)
{
	static char buf[ANSWER];

	if (write(q->qmp, command, strlen(command)) < 0)
		note("the monitor is gone");
	answer(q->qmp, buf, "\"return\"", 5000);
	return buf;
}

static char *hmp(struct qemu *q, const char *line)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "{\"execute\":\"human-monitor-command\",\"arguments\":"
		 "{\"command-line\":\"%s\"}}\n", line);
	return qmp(q, command);
}

static void start(struct qemu *q, const struct victim *v)
{
	snprintf(q->serial, sizeof(q->serial), "/tmp/serial%d", v->protected);
	snprintf(q->firmware, sizeof(q->firmware), "/tmp/fw%d", v->protected);
	snprintf(q->socket, sizeof(q->socket), "/tmp/qmp%d", v->protected);
	patch_firmware(q, &v->sh->half);
	q->pid = fork();
	if (!q->pid)
		exec_qemu(q, v->protected);
	q->qmp = open_socket(q->socket);
	qmp(q, "{\"execute\":\"qmp_capabilities\"}\n");
	if (!qemu_well(q))
		note("QEMU's VM is not well from the start");
}

static struct qemu *qemu_for(struct victim *v)
{
	struct qemu *q = &qemus[v->protected];

	victim_pause(v);
	if (!q->pid)
		start(q, v);
	return q;
}

/*
 * QEMU dies of SIGSEGV when it touches a protected VM's memory, and its VM ends
 * with it: the host may always end a VM.
 */
static bool judge(struct victim *v, struct qemu *q, bool hit)
{
	bool well = !v->protected || qemu_well(q);

	if (waitpid(q->pid, NULL, WNOHANG) == q->pid) {
		note("QEMU has died");
		close(q->qmp);
		unlink(q->serial);
		unlink(q->socket);
		q->pid = 0;
	} else if (!well) {
		note("QEMU's VM is not well");
		hit = true;
	}
	victim_resume(v);
	return hit;
}

void qemu_end(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (!qemus[i].pid)
			continue;
		kill(qemus[i].pid, SIGTERM);
		waitpid(qemus[i].pid, NULL, 0);
	}
}

/* Numbers of 16 hexadecimal digits, as the monitor prints them. */
static bool text_has_secret(const struct victim *v, const char *text)
{
	uint64_t word;
	size_t n;

	for (; *text; text += n ? n : 1) {
		n = strspn(text, "0123456789abcdefABCDEF");
		if (n != 16)
			continue;
		word = strtoull(text, NULL, 16);
		if (has_secret(v, &word, 8))
			return true;
	}
	return false;
}

static bool file_has_secret(const struct victim *v, const char *path)
{
	uint8_t page[PAGE];
	int fd = open(path, O_RDONLY);
	bool found = false;
	ssize_t n;

	if (fd < 0)
		note("%s was not written", path);
	while (!found && fd >= 0 && (n = read(fd, page, PAGE)) > 0)
		found = has_secret(v, page, (size_t)n);
	close(fd);
	unlink(path);
	return found;
}

static bool monitor_x(struct victim *v)
{
	struct qemu *q = qemu_for(v);

	return judge(v, q, text_has_secret(v, hmp(q, "xp /16gx 0x200000")));
}

static bool monitor_registers(struct victim *v)
{
	struct qemu *q = qemu_for(v);

	return judge(v, q, text_has_secret(v, hmp(q, "info registers")));
}

static bool pmemsave(struct victim *v)
{
	struct qemu *q = qemu_for(v);

	hmp(q, "pmemsave 0x200000 4096 \\\"/tmp/saved\\\"");
	return judge(v, q, file_has_secret(v, "/tmp/saved"));
}

/* --- gdb's remote protocol --------------------------------------------------------- */

static bool gdb_command(int fd, const struct victim *v, const char *text)
{
	static char buf[ANSWER];
	static uint8_t bytes[ANSWER / 2];
	unsigned int sum = 0, i, n, b;
	char packet[64];
	char *at;

	for (i = 0; text[i]; i++)
		sum += (uint8_t)text[i];
	snprintf(packet, sizeof(packet), "+$%s#%02x", text, sum & 0xff);
	if (write(fd, packet, strlen(packet)) < 0)
		return false;
	answer(fd, buf, "#", 1000);
	at = strchr(buf, '$');
	for (n = 0; at && sscanf(at + 1 + 2 * n, "%2x", &b) == 1 && n < sizeof(bytes); n++)
		bytes[n] = (uint8_t)b;
	return has_secret(v, bytes, n);
}

static bool gdbstub(struct victim *v)
{
	struct qemu *q = qemu_for(v);
	bool hit;
	int fd;

	hmp(q, "gdbserver unix:/tmp/gdb,server=on,wait=off");
	fd = open_socket("/tmp/gdb");
	hit = gdb_command(fd, v, "?");
	hit |= gdb_command(fd, v, "m200000,40");
	hit |= gdb_command(fd, v, "g");
	gdb_command(fd, v, "D");
	close(fd);
	hmp(q, "gdbserver none");
	hmp(q, "cont");
	unlink("/tmp/gdb");
	return judge(v, q, hit);
}

const struct attack qemu_attacks[] = {
	{ 43, "QEMU monitor: info registers", monitor_registers, 0 },
	{ 44, "QEMU monitor: xp", monitor_x, 0 },
	{ 45, "QEMU monitor: pmemsave", pmemsave, 0 },
	{ 46, "QEMU gdbstub: memory and registers", gdbstub, 0 },
	{ 0 }
};
