// SPDX-License-Identifier: GPL-2.0
/*
 * Does a ticket admit this VM, here and now?  What this program checks, root
 * can leave unchecked: it keeps mistakes and stale requests out, not root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "userspace/vm/admission.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/policy/trust/key.h"
#include "userspace/vm/qemu_args.h"

#define DEFINITION_MAX	(1u << 20)
#define SKEW		30	/* seconds that the issuer's clock may be ahead of ours */

int admission_option(struct admission *a, int opt, const char *arg)
{
	const char **where[] = { &a->ticket, &a->issuer, &a->definition, &a->identity };

	if (opt < 0x100 || opt > 0x103)
		return -1;
	*where[opt - 0x100] = arg;
	return 0;
}

int admission_usage(const struct admission *a)
{
	if (!a->ticket && (a->issuer || a->definition || a->identity)) {
		cli_usage_error("--issuer, --definition and --identity need --ticket");
		return -1;
	}
	return 0;
}

/* Return: bytes read, at most @size, or -1 after a message. */
static ssize_t slurp(const char *path, void *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(buf, 1, size, f) : 0;
	bool bad = !f || ferror(f);

	if (bad)
		cli_error("%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	return bad ? -1 : (ssize_t)n;
}

static int read_identity(const char *path, unsigned char id[32])
{
	char text[66] = "";
	ssize_t n = slurp(path, text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	text[strcspn(text, "\n")] = 0;
	if (!cli_unhex(text, id, 32))
		return 0;
	cli_error("%s: not 64 hexadecimal digits", path);
	return -1;
}

static int digest_definition(const char *path, unsigned char digest[32])
{
	static unsigned char buf[DEFINITION_MAX];
	ssize_t n = slurp(path, buf, sizeof(buf));

	if (n == sizeof(buf))
		cli_error("%s: longer than a VM's definition may be", path);
	if (n < 0 || n == sizeof(buf))
		return -1;
	SHA256(buf, n, digest);
	return 0;
}

static int parse_uuid(const char *text, unsigned char uuid[16])
{
	char hex[33];
	size_t n = 0;

	for (; text && *text && n < sizeof(hex) - 1; text++)
		if (*text != '-')
			hex[n++] = *text;
	hex[n] = 0;
	if (text && !*text && !cli_unhex(hex, uuid, 16))
		return 0;
	cli_error("QEMU's command line has no -uuid that is one: the ticket is for one VM");
	return -1;
}

static int launch(int dev, struct underpin_launch *l)
{
	memset(l, 0, sizeof(*l));
	if (!ioctl(dev, UNDERPIN_LAUNCH, l))
		return 0;
	cli_error("asking the layer for its launch: %s", strerror(errno));
	return -1;
}

static int refuse(const struct admission *a, enum ticket_error why)
{
	cli_error("%s: %s", a->ticket, ticket_message(why));
	return -1;
}

/* Is it of version 2?  Then nothing here is a check: root could leave it out. */
static bool for_the_layer(struct admission *a, const unsigned char *bytes, ssize_t n)
{
	a->layer = n == sizeof(a->bytes) && !memcmp(bytes, "UPTICKT2", 8);
	if (a->layer)
		memcpy(a->bytes, bytes, sizeof(a->bytes));
	return a->layer;
}

static int verify(const struct admission *a, const unsigned char *bytes, ssize_t n,
		  struct ticket *t)
{
	enum ticket_error why;
	struct pol_err e;
	struct key *k;

	if (!a->definition) {
		cli_usage_error("--ticket needs --definition, the file that defines the VM");
		return -1;
	}
	k = key_load(a->issuer ? a->issuer : ADMISSION_ISSUER, false, &e);
	if (!k) {
		cli_error("%s", e.msg);
		return -1;
	}
	why = ticket_verify(bytes, n, k, t);
	key_free(k);
	return why ? refuse(a, why) : 0;
}

/* Here there is a clock, unlike in the layer: the lifetime counts from the issue. */
static int match(const struct admission *a, const struct ticket *t,
		 struct ticket_expect *x)
{
	uint64_t now = time(NULL);
	enum ticket_error why;

	if (t->issued > now + SKEW) {
		cli_error("%s: issued in the future: set the clocks", a->ticket);
		return -1;
	}
	x->age = t->issued < now ? now - t->issued : 0;
	why = ticket_match(t, x);
	return why ? refuse(a, why) : 0;
}

/* One file a ticket, of this launch: made by whoever uses it first. */
static int use_up(struct admission *a, const struct ticket *t)
{
	char id[33];
	int fd;

	cli_hex(id, t->id, sizeof(t->id));
	snprintf(a->used, sizeof(a->used), ADMISSION_USED "/%s", id);
	if ((mkdir("/run/underpin", 0700) && errno != EEXIST) ||
	    (mkdir(ADMISSION_USED, 0700) && errno != EEXIST)) {
		cli_error(ADMISSION_USED ": %s", strerror(errno));
		return -1;
	}
	fd = open(a->used, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		return close(fd);
	if (errno == EEXIST)
		cli_error("%s: has served before, and serves once: ask for a new ticket",
			  a->ticket);
	else
		cli_error("%s: %s", a->used, strerror(errno));
	return -1;
}

int admission_claim(struct admission *a, int dev, char *const argv[])
{
	unsigned char host[32], vm[16], definition[32];
	struct underpin_launch l;
	struct ticket_expect x = {
		.host = host, .image = l.image_sha256, .nonce = l.nonce, .vm = vm,
		.definition = definition,
	};
	unsigned char bytes[TICKET_SIZE + 1];
	struct ticket t;
	ssize_t n;

	if (!a->ticket)
		return 0;
	n = slurp(a->ticket, bytes, sizeof(bytes));
	if (n < 0)
		return -1;
	if (for_the_layer(a, bytes, n))
		return 0;
	if (verify(a, bytes, n, &t) || launch(dev, &l) ||
	    read_identity(a->identity ? a->identity : ADMISSION_IDENTITY, host) ||
	    parse_uuid(qemu_args_value(argv, "uuid"), vm) ||
	    digest_definition(a->definition, definition) || match(a, &t, &x))
		return -1;
	return use_up(a, &t);
}

const unsigned char *admission_ticket(const struct admission *a)
{
	return a->layer ? a->bytes : NULL;
}

void admission_undo(const struct admission *a)
{
	if (a->ticket && *a->used)
		unlink(a->used);
}
