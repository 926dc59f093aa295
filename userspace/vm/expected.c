// SPDX-License-Identifier: GPL-2.0
/* `underpin vm expected`: the measurements that a VM made of given files must have. */
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "ioctl/underpin.h"
#include "module/guest/bzimage.h"
#include "userspace/cli/cli.h"
#include "userspace/vm/expected.h"
#include "userspace/vm/vm.h"

#define FRAME		4096u
#define SZ_4G		0x100000000ULL
#define MIB_MAX		(1ULL << 20)
#define FW_UNIT		65536u
#define FW_MAX		(16u << 20)

static const char *const report_name[GUEST_REPORTS] = {
	[GUEST_REPORT_KERNEL] = "kernel",
	[GUEST_REPORT_INITRD] = "initrd",
	[GUEST_REPORT_CMDLINE] = "cmdline",
	[GUEST_REPORT_MEMMAP] = "memmap",
	[GUEST_REPORT_VCPUS] = "vcpus",
};

static bool named(const char *machine, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(machine, name, len) && (!machine[len] || machine[len] == ',');
}

const char *vm_shape_init(struct vm_shape *shape, const char *machine, uint64_t mib)
{
	uint64_t ram = mib << 20, most, low = 0xc0000000;

	if (mib < 1 || mib > MIB_MAX)
		return "memory is not from 1 MiB to 1 TiB";
	/* QEMU: hw/i386/pc_piix.c pc_init1() and hw/i386/microvm.c microvm_memory_init() */
	if (named(machine, "pc") || !strncmp(machine, "pc-i440fx-", 10))
		most = 0xe0000000 - 1;
	else if (named(machine, "microvm"))
		most = low;
	else
		return "neither pc nor microvm";
	shape->low = ram > most ? low : ram;
	shape->high = ram - shape->low;
	return NULL;
}

/* One record of the launch measurement: struct-less, since it is hashed as bytes. */
static bool add_frame(EVP_MD_CTX *ctx, uint64_t gfn, const uint8_t digest[32])
{
	uint8_t record[40];

	gfn = htole64(gfn);
	memcpy(record, &gfn, 8);
	memcpy(record + 8, digest, 32);
	return EVP_DigestUpdate(ctx, record, sizeof(record));
}

static bool add_zero_frames(EVP_MD_CTX *ctx, uint64_t start, uint64_t bytes)
{
	static const uint8_t zero[FRAME];
	uint64_t gfn = start / FRAME, end = (start + bytes) / FRAME;
	uint8_t digest[32];
	bool ok = EVP_Digest(zero, FRAME, digest, NULL, EVP_sha256(), NULL);

	for (; ok && gfn < end; gfn++)
		ok = add_frame(ctx, gfn, digest);
	return ok;
}

static bool add_firmware(EVP_MD_CTX *ctx, const struct blob *fw)
{
	uint64_t start = SZ_4G - fw->len;
	uint8_t digest[32];
	size_t at;
	bool ok = true;

	for (at = 0; ok && at < fw->len; at += FRAME)
		ok = EVP_Digest(fw->data + at, FRAME, digest, NULL, EVP_sha256(), NULL) &&
		     add_frame(ctx, (start + at) / FRAME, digest);
	return ok;
}

int expected_measurement(const struct vm_shape *shape, const struct blob *fw, uint8_t m[32])
{
	EVP_MD_CTX *ctx;
	bool ok;

	if (!fw->len || fw->len % FRAME || fw->len > SZ_4G - shape->low)
		return -1;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
	     add_zero_frames(ctx, 0, shape->low) && add_firmware(ctx, fw) &&
	     add_zero_frames(ctx, SZ_4G, shape->high) && EVP_DigestFinal_ex(ctx, m, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

/* The setup part as the firmware hashes it, then the rest up to the declared length. */
static const char *kernel_digest(const struct blob *kernel, struct bzimage *b, uint8_t digest[32])
{
	uint8_t *setup;
	uint32_t len;
	EVP_MD_CTX *ctx;
	const char *why;
	bool ok;

	if (kernel->len < 512)
		return "no setup header";
	len = bzimage_setup_len(kernel->data);
	if (len > kernel->len)
		return "truncated: shorter than its header says";
	why = bzimage_parse(kernel->data, len, b);
	if (why)
		return why;
	if (b->payload_len > kernel->len - len)
		return "truncated: shorter than its header says";
	setup = malloc(len);
	ctx = EVP_MD_CTX_new();
	ok = setup && ctx;
	if (ok) {
		memcpy(setup, kernel->data, len);
		bzimage_canonical(setup);
		ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		     EVP_DigestUpdate(ctx, setup, len) &&
		     EVP_DigestUpdate(ctx, kernel->data + len, b->payload_len) &&
		     EVP_DigestFinal_ex(ctx, digest, NULL);
	}
	EVP_MD_CTX_free(ctx);
	free(setup);
	return ok ? NULL : "hashing failed";
}

static bool hash(const void *data, size_t len, uint8_t digest[32])
{
	return EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
}

const char *expected_reports(const struct vm_shape *shape, const struct blob *kernel,
			     const struct blob *initrd, const char *append, uint32_t cpus,
			     uint8_t report[GUEST_REPORTS][32], const char **what)
{
	struct memory memory = { shape->low, shape->high };
	struct e820_entry map[MEMMAP_MAX];
	struct placement place;
	struct bzimage b;
	unsigned int entries;
	const char *why;

	*what = "memory map";
	why = memory_check(&memory);
	if (why)
		return why;
	*what = "kernel";
	why = kernel_digest(kernel, &b, report[GUEST_REPORT_KERNEL]);
	if (why)
		return why;
	*what = "memory";
	why = bzimage_place(&b, memory.low, initrd->len, &place);
	if (why)
		return why;
	*what = "command line";
	if (strlen(append) > b.cmdline_max)
		return "longer than the kernel takes";
	*what = "processors";
	if (cpus > 1 && !cmdline_wants_ghci(append))
		return "more than one needs ACPI: leave out acpi=off";
	entries = memory_map(&memory, cmdline_wants_ghci(append), map);
	cpus = htole32(cpus);
	if (!hash(initrd->data, initrd->len, report[GUEST_REPORT_INITRD]) ||
	    !hash(append, strlen(append), report[GUEST_REPORT_CMDLINE]) ||
	    !hash(map, entries * sizeof(map[0]), report[GUEST_REPORT_MEMMAP]) ||
	    !hash(&cpus, sizeof(cpus), report[GUEST_REPORT_VCPUS]))
		return "hashing failed";
	return NULL;
}

/* --- the command ---------------------------------------------------------- */

enum { FIRMWARE, KERNEL, INITRD, APPEND, MACHINE, MEMORY, CPUS, OUTPUT, HELP, OPTIONS };

static const struct option options[] = {
	[FIRMWARE] = { "firmware", required_argument, NULL, 'b' },
	[KERNEL] = { "kernel", required_argument, NULL, 'k' },
	[INITRD] = { "initrd", required_argument, NULL, 'i' },
	[APPEND] = { "append", required_argument, NULL, 'a' },
	[MACHINE] = { "machine", required_argument, NULL, 'M' },
	[MEMORY] = { "memory", required_argument, NULL, 'm' },
	[CPUS] = { "cpus", required_argument, NULL, 'c' },
	[OUTPUT] = { "output", required_argument, NULL, 'o' },
	[HELP] = { "help", no_argument, NULL, 'h' },
	[OPTIONS] = { NULL, 0, NULL, 0 },
};

static const char usage[] =
	"usage: underpin vm expected --firmware FILE [--memory MIB] [--machine pc|microvm]\n"
	"                            [--kernel FILE [--initrd FILE] [--append TEXT] [--cpus N]]\n"
	"                            [-o json]\n"
	"\n"
	"Prints the measurement that a VM must have which QEMU starts with\n"
	"-machine pc -m MIB -smp N -bios FILE -kernel FILE -initrd FILE -append TEXT, and\n"
	"the digests that its firmware must report. Without --kernel, the measurement only.\n";

/* What was asked for: each option's argument, or NULL. */
struct request {
	const char *arg[OPTIONS];
	unsigned long mib, cpus;
	bool json;
};

static bool read_all(FILE *f, struct blob *b)
{
	size_t room = 0, n;
	uint8_t *more;

	for (;;) {
		if (b->len == room) {
			room = room ? 2 * room : 1 << 20;
			more = realloc(b->data, room);
			if (!more)
				return false;
			b->data = more;
		}
		n = fread(b->data + b->len, 1, room - b->len, f);
		b->len += n;
		if (!n)
			return !ferror(f);
	}
}

/* No file at all is an empty one. */
static bool read_file(const char *path, struct blob *b)
{
	FILE *f;
	bool ok;

	if (!path)
		return true;
	f = fopen(path, "rb");
	ok = f && read_all(f, b);
	if (!ok)
		cli_error("%s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	return ok;
}

/* The option that a getopt value stands for; OPTIONS if none */
static int which(int value)
{
	int i;

	for (i = 0; i < OPTIONS; i++)
		if (options[i].val == value)
			break;
	return i;
}

static int check_request(struct request *r)
{
	if (!r->arg[FIRMWARE])
		return cli_usage_error("vm expected: --firmware is missing");
	if (!r->arg[KERNEL] && (r->arg[INITRD] || r->arg[APPEND] || r->arg[CPUS]))
		return cli_usage_error("vm expected: --initrd, --append and --cpus need --kernel");
	if (r->arg[CPUS] && cli_number("--cpus", r->arg[CPUS], 1, UNDERPIN_MAX_VCPUS, &r->cpus))
		return CLI_USAGE;
	if (r->arg[OUTPUT] && cli_parse_output(r->arg[OUTPUT], &r->json))
		return CLI_USAGE;
	if (r->arg[MEMORY] && cli_number("--memory", r->arg[MEMORY], 1, MIB_MAX, &r->mib))
		return CLI_USAGE;
	return CLI_OK;
}

static int parse(int argc, char **argv, struct request *r)
{
	int c, i;

	optind = 0;	/* the caller has parsed options of its own */
	while ((c = getopt_long(argc, argv, "m:o:h", options, NULL)) != -1) {
		i = which(c);
		if (i == OPTIONS)
			return cli_usage_error("vm expected: see above");
		r->arg[i] = optarg ? optarg : "";
	}
	if (optind < argc)
		return cli_usage_error("vm expected: \"%s\" is too much", argv[optind]);
	return r->arg[HELP] ? CLI_OK : check_request(r);
}

static void print_digest(bool json, bool first, const char *name, const uint8_t digest[32])
{
	char hex[65];

	cli_hex(hex, digest, 32);
	if (json)
		printf("%s\n  \"%s\": \"%s\"", first ? "{" : ",", name, hex);
	else
		printf("%-12s %s\n", name, hex);
}

static int print(const struct request *r, uint64_t frames, const uint8_t m[32],
		 uint8_t report[][32])
{
	unsigned int i, reports = GUEST_REPORT_VCPUS;

	print_digest(r->json, true, "measurement", m);
	if (r->json)
		printf(",\n  \"frames\": %" PRIu64, frames);
	else
		printf("%-12s %" PRIu64 "\n", "frames", frames);
	reports += cmdline_wants_ghci(r->arg[APPEND] ? r->arg[APPEND] : "");
	for (i = 0; r->arg[KERNEL] && i < reports; i++)
		print_digest(r->json, false, report_name[i], report[i]);
	if (r->json)
		puts("\n}");
	return fflush(stdout) ? CLI_FAILED : CLI_OK;
}

static const char *check_firmware(const struct blob *fw)
{
	if (!fw->len || fw->len % FW_UNIT || fw->len > FW_MAX)
		return "QEMU takes a multiple of 64 KiB, up to 16 MiB";
	return NULL;
}

static int expected(const struct request *r, const struct blob *fw, const struct blob *kernel,
		    const struct blob *initrd)
{
	uint8_t m[32], report[GUEST_REPORTS][32];
	struct vm_shape shape;
	const char *append = r->arg[APPEND] ? r->arg[APPEND] : "";
	const char *what = "machine";
	const char *why = vm_shape_init(&shape, r->arg[MACHINE] ? r->arg[MACHINE] : "pc", r->mib);

	if (!why) {
		what = "firmware";
		why = check_firmware(fw);
	}
	if (!why && expected_measurement(&shape, fw, m))
		why = "hashing failed";
	if (!why && r->arg[KERNEL])
		why = expected_reports(&shape, kernel, initrd, append, (uint32_t)r->cpus, report,
				       &what);
	if (!why)
		return print(r, (shape.low + shape.high + fw->len) / FRAME, m, report);
	cli_error("vm expected: %s: %s", what, why);
	return CLI_FAILED;
}

int cmd_vm_expected(int argc, char **argv)
{
	struct request r = { .mib = 128, .cpus = 1 };
	struct blob fw = { 0 }, kernel = { 0 }, initrd = { 0 };
	int status = parse(argc, argv, &r);

	if (status)
		return status;
	if (r.arg[HELP]) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	status = CLI_FAILED;
	if (read_file(r.arg[FIRMWARE], &fw) && read_file(r.arg[KERNEL], &kernel) &&
	    read_file(r.arg[INITRD], &initrd))
		status = expected(&r, &fw, &kernel, &initrd);
	free(fw.data);
	free(kernel.data);
	free(initrd.data);
	return status;
}
