// SPDX-License-Identifier: GPL-2.0
/*
 * bridge REAL LISTEN: between QEMU, which speaks to LISTEN, and swtpm's control channel at
 * REAL: a TPM that misbehaves, or is told of a dynamic launch, when the machine says so.
 * Goes on in the background when it listens, and ends with QEMU.
 *
 * The machine says so by an extend whose digest is one of these bytes and zeros: of any PCR
 * below; and, for what lasts, of PCR 16.  Answers whose header lies are no use here: QEMU
 * answers in their place.
 */
#include <err.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum bend {
	/* From now on, of commands that read or extend PCR 19. */
	WELL = 0xd0, DYNAMIC_LAUNCH, STAYS_SLOW, STAYS_HUNG,
	/* This one. */
	SLOW = 0xe1, HUNG, FAILING, TWICE, FOR_EVER, LONG,
};

#define SECONDS_SLOW	3
#define MEASURED	"SINIT"

/* TPM 2.0 Library, part 2, 6.5.2: commands; offsets in those that Linux and the layer send. */
#define CC		6
#define CC_PCR_READ	0x17eu
#define CC_PCR_EXTEND	0x182u
#define HEADER		10
#define EXTEND_PCR	13
#define EXTEND_DIGEST	33
#define EXTEND_SIZE	65
#define READ_PCRS_16	19	/* a bit each from PCR 16 on */
#define READ_SIZE	20
#define PCR		19

/* swtpm_ioctls(3) */
enum { HASH_START = 6, HASH_DATA = 7, HASH_END = 8 };

static int qemu, control;
static pthread_mutex_t control_lock = PTHREAD_MUTEX_INITIALIZER;
static enum bend lasts = WELL;

static int unix_socket(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		errx(1, "%s: too long for a socket", path);
	strcpy(address->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

/* --- a dynamic launch: what a processor tells a TPM at SENTER ---------------------- */

static void tell(const uint8_t *command, size_t len)
{
	uint8_t result[4];

	if (write(control, command, len) != (ssize_t)len || read(control, result, 4) != 4 ||
	    be32(result))
		warnx("swtpm refuses a part of a dynamic launch");
}

static void dynamic_launch(void)
{
	uint8_t command[8 + sizeof(MEASURED) - 1];

	pthread_mutex_lock(&control_lock);
	put_be32(command, HASH_START);
	tell(command, 4);
	put_be32(command, HASH_DATA);
	put_be32(command + 4, sizeof(MEASURED) - 1);
	memcpy(command + 8, MEASURED, sizeof(MEASURED) - 1);
	tell(command, sizeof(command));
	put_be32(command, HASH_END);
	tell(command, 4);
	pthread_mutex_unlock(&control_lock);
}

/* --- commands ------------------------------------------------------------------- */

static bool only_first(const uint8_t *digest)
{
	int i;

	for (i = 1; i < 32; i++)
		if (digest[i])
			return false;
	return true;
}

static bool of_pcr_19(const uint8_t *command, size_t len)
{
	if (be32(command + CC) == CC_PCR_READ)
		return len == READ_SIZE && command[READ_PCRS_16] >> (PCR - 16) & 1;
	return be32(command + CC) == CC_PCR_EXTEND && len == EXTEND_SIZE &&
	       command[EXTEND_PCR] == PCR;
}

/* How this one is bent; what lasts is noted. */
static enum bend bend_of(const uint8_t *command, size_t len)
{
	unsigned int said = 0;

	if (be32(command + CC) == CC_PCR_EXTEND && len == EXTEND_SIZE &&
	    only_first(command + EXTEND_DIGEST))
		said = command[EXTEND_DIGEST];
	if (said >= WELL && said <= STAYS_HUNG && command[EXTEND_PCR] == 16) {
		if (said == DYNAMIC_LAUNCH)
			dynamic_launch();
		else
			lasts = said;
		return WELL;
	}
	if (said >= SLOW && said <= LONG)
		return said;
	if (!of_pcr_19(command, len))
		return WELL;
	return lasts == STAYS_SLOW ? SLOW : lasts == STAYS_HUNG ? HUNG : WELL;
}

/* An answer of these bytes and this code, in the place of swtpm's. */
static size_t answer(uint8_t *reply, uint32_t code, size_t len)
{
	memset(reply, 0, len);
	reply[0] = 0x80;
	reply[1] = 1;
	put_be32(reply + 2, (uint32_t)len);
	put_be32(reply + 6, code);
	return len;
}

/* Return: bytes of an answer that swtpm does not give; 0: swtpm shall; -1: there is none */
static ssize_t bent(const uint8_t *command, size_t len, uint8_t *reply)
{
	static int twice;

	if (len < HEADER)
		return 0;
	switch (bend_of(command, len)) {
	case SLOW:
		sleep(SECONDS_SLOW);
		return 0;
	case HUNG:
		return -1;
	case FAILING:
		return answer(reply, 0x101, HEADER);
	case TWICE:
		return twice++ < 2 ? answer(reply, 0x922, HEADER) : 0;
	case FOR_EVER:
		return answer(reply, 0x922, HEADER);
	case LONG:
		return answer(reply, 0, HEADER + 200);
	default:
		return 0;
	}
}

struct channel {
	int from, to;
};

static void *commands(void *arg)
{
	struct channel *c = arg;
	uint8_t command[4096] = { 0 }, reply[4096];
	ssize_t len, got;

	for (;;) {
		len = read(c->from, command, sizeof(command));
		if (len <= 0)
			return NULL;
		got = bent(command, (size_t)len, reply);
		if (got < 0)
			continue;
		if (!got) {
			if (write(c->to, command, (size_t)len) != len)
				return NULL;
			got = read(c->to, reply, sizeof(reply));
		}
		if (got <= 0 || write(c->from, reply, (size_t)got) != got)
			return NULL;
	}
}

/* --- the control channel: QEMU's, with the descriptor of its commands ---------------- */

union with_fd {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

/* QEMU's end of the commands is kept here, and swtpm gets another. */
static void split(union with_fd *control_data)
{
	static struct channel c;
	pthread_t thread;
	int pair[2], *fd = (int *)CMSG_DATA(&control_data->header);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		err(1, "socketpair");
	c = (struct channel){ *fd, pair[0] };
	*fd = pair[1];
	if (pthread_create(&thread, NULL, commands, &c))
		errx(1, "no thread");
}

static void follow(void)
{
	union with_fd fd;
	uint8_t bytes[4096];
	struct iovec io = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &fd };
	ssize_t len;

	for (;;) {
		io.iov_len = sizeof(bytes);
		m.msg_controllen = sizeof(fd);
		len = recvmsg(qemu, &m, 0);
		if (len <= 0)
			return;
		if (m.msg_controllen)
			split(&fd);
		pthread_mutex_lock(&control_lock);
		io.iov_len = (size_t)len;
		len = sendmsg(control, &m, 0) == len ? read(control, bytes, sizeof(bytes)) : 0;
		pthread_mutex_unlock(&control_lock);
		if (len <= 0 || write(qemu, bytes, (size_t)len) != len)
			return;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un real, ours;
	int listener;

	if (argc != 3)
		errx(2, "bridge REAL LISTEN");
	control = unix_socket(argv[1], &real);
	listener = unix_socket(argv[2], &ours);
	if (connect(control, (struct sockaddr *)&real, sizeof(real)))
		err(1, "%s", argv[1]);
	if (bind(listener, (struct sockaddr *)&ours, sizeof(ours)) || listen(listener, 1))
		err(1, "%s", argv[2]);
	if (daemon(1, 0))
		err(1, "daemon");
	qemu = accept(listener, NULL, NULL);
	if (qemu >= 0)
		follow();
	return 0;
}
