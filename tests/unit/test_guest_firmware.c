// SPDX-License-Identifier: GPL-2.0
/*
 * The guest firmware against a host that lies and a layer that makes it wait: it
 * enters the kernel that it reported, or says what is wrong and stops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "bzimage.h"
#include "hosted.h"
#include "memmap.h"

#define SETUP_LEN	(2 * 512 + 512)
#define KERNEL_LEN	(600 * 1024)
#define INITRD_LEN	(300 * 1024 + 17)
#define TAIL		48	/* QEMU may append an entropy seed */

/* One honest host, with files that a test may then spoil. */
struct offer {
	struct hosted h;
	uint8_t setup[SETUP_LEN];
	uint8_t kernel[KERNEL_LEN + TAIL];
	uint8_t initrd[INITRD_LEN];
	char cmdline[100];
	struct e820_entry e820[3];
	uint8_t dir[68];
};

static void put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void make_setup(uint8_t *s)
{
	memset(s, 0x5a, SETUP_LEN);
	s[BZ_SETUP_SECTS] = SETUP_LEN / 512 - 1;
	put32(s + BZ_SYSSIZE, KERNEL_LEN / 16);
	put16(s + BZ_BOOT_FLAG, 0xaa55);
	put16(s + BZ_JUMP, 0x6aeb);
	put32(s + BZ_MAGIC, 0x53726448);
	put16(s + BZ_VERSION, 0x20f);
	s[BZ_LOADFLAGS] = 1;
	put32(s + BZ_INITRD_ADDR_MAX, 0x7fffffff);
	put32(s + BZ_KERNEL_ALIGNMENT, 0x200000);
	s[BZ_RELOCATABLE] = 1;
	put16(s + BZ_XLOADFLAGS, 0x7f);
	put32(s + BZ_CMDLINE_SIZE, 2047);
	memset(s + BZ_PREF_ADDRESS, 0, 8);
	put32(s + BZ_PREF_ADDRESS, 0x1000000);
	put32(s + BZ_INIT_SIZE, 0x800000);
}

static struct hosted_file file(const void *data, size_t len)
{
	return (struct hosted_file){ data, len, (uint32_t)len };
}

static int set_up(void **state)
{
	struct offer *o = calloc(1, sizeof(*o));
	size_t i;

	if (!o)
		return -1;
	make_setup(o->setup);
	for (i = 0; i < sizeof(o->kernel); i++)
		o->kernel[i] = (uint8_t)(i * 31 + (i >> 8));
	for (i = 0; i < sizeof(o->initrd); i++)
		o->initrd[i] = (uint8_t)(i * 7 + (i >> 9));
	strcpy(o->cmdline, "console=ttyS0 quiet");
	o->e820[0] = (struct e820_entry){ 0, 48 << 20, E820_RAM };
	o->e820[1] = (struct e820_entry){ 0xfeffc000, 0x4000, E820_RESERVED };
	o->e820[2] = (struct e820_entry){ 0x100000000, 1ull << 30, E820_RAM };
	o->h.layer = true;
	o->h.vcpus = 2;
	o->h.setup = file(o->setup, SETUP_LEN);
	o->h.kernel = file(o->kernel, KERNEL_LEN);
	o->h.initrd = file(o->initrd, INITRD_LEN);
	o->h.cmdline = file(o->cmdline, strlen(o->cmdline) + 1);
	o->h.e820 = file(o->e820, sizeof(o->e820));
	hosted_file_dir(&o->h, o->dir, sizeof(o->e820));
	*state = o;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void enters(struct offer *o)
{
	hosted_run(&o->h);
	if (o->h.broken)
		fail_msg("%s", o->h.broken);
	if (!o->h.entered)
		fail_msg("did not enter the kernel: %s", o->h.text);
}

static void refuses(struct offer *o, const char *why)
{
	hosted_run(&o->h);
	if (o->h.broken)
		fail_msg("%s", o->h.broken);
	assert_false(o->h.entered);
	if (!strstr(o->h.text, "FAILED: ") || !strstr(o->h.text, why))
		fail_msg("wanted \"%s\" in: %s", why, o->h.text);
}

/* --- an honest host ------------------------------------------------------------- */

static void a_protected_vm_boots_and_reports(void **state)
{
	struct offer *o = *state;

	enters(o);
	assert_non_null(strstr(o->h.text, "underpin-fw: protected"));
	assert_int_equal(o->h.reports, 0x1f);
	assert_true(o->h.ghci);
	assert_int_equal(o->h.kernel_at, 0x1000000);
	assert_memory_equal((void *)0x1000000, o->kernel, KERNEL_LEN);
	assert_memory_equal((void *)o->h.initrd_at, o->initrd, INITRD_LEN);
}

/* The kernel that is told to do without ACPI gets what it always got. */
static void without_acpi_there_is_no_ghci(void **state)
{
	static const char * const without[] = {
		"acpi=off", "console=ttyS0 acpi=off", "acpi=off quiet", "a  acpi=off ",
	}, * const with[] = { "", "acpi=offx", "xacpi=off", "acpi=of", "acpi= off", "acpi=off\t" };
	struct offer *o = *state;
	size_t i;

	for (i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		strcpy(o->cmdline, without[i]);
		o->h.cmdline = file(o->cmdline, strlen(o->cmdline) + 1);
		enters(o);
		assert_false(o->h.ghci);
		assert_int_equal(o->h.reports, 0xf);
	}
	for (i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		strcpy(o->cmdline, with[i]);
		o->h.cmdline = file(o->cmdline, strlen(o->cmdline) + 1);
		enters(o);
		assert_true(o->h.ghci);
	}
}

static void as_many_processors_as_the_layer_says(void **state)
{
	static const uint32_t some[] = { 1, 2, 3, 63, 64 }, wrong[] = { 0, 65, 0xffffffff };
	struct offer *o = *state;
	size_t i;

	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		o->h.vcpus = some[i];
		enters(o);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		o->h.vcpus = wrong[i];
		refuses(o, "ACPI tables: they do not fit");
	}
}

static void an_unprotected_vm_boots_and_says_so(void **state)
{
	struct offer *o = *state;

	o->h.layer = false;
	enters(o);
	assert_non_null(strstr(o->h.text, "UNPROTECTED"));
}

static void another_abi_is_no_layer(void **state)
{
	struct offer *o = *state;

	o->h.layer = false;
	o->h.other_layer = true;
	enters(o);
	assert_non_null(strstr(o->h.text, "UNPROTECTED"));
}

static void pending_flushes_are_waited_for(void **state)
{
	struct offer *o = *state;

	o->h.busy = 50;
	enters(o);
}

static void what_qemu_appends_is_neither_loaded_nor_hashed(void **state)
{
	struct offer *o = *state;
	uint8_t digest[32];

	enters(o);
	memcpy(digest, o->h.report[GUEST_REPORT_KERNEL], 32);
	memset((void *)(0x1000000ull + KERNEL_LEN), 0, TAIL);
	o->h.kernel = file(o->kernel, KERNEL_LEN + TAIL);
	enters(o);
	assert_memory_equal(digest, o->h.report[GUEST_REPORT_KERNEL], 32);
	assert_int_equal(*(uint8_t *)(0x1000000ull + KERNEL_LEN), 0);
}

static void what_a_loader_writes_is_neither_hashed_nor_passed_on(void **state)
{
	struct offer *o = *state;
	uint8_t digest[32];

	enters(o);
	memcpy(digest, o->h.report[GUEST_REPORT_KERNEL], 32);
	o->setup[BZ_TYPE_OF_LOADER] = 0xb0;
	o->setup[BZ_LOADFLAGS] |= 0x80;
	put32(o->setup + BZ_CMD_LINE_PTR, 0x20000);
	put32(o->setup + BZ_RAMDISK_IMAGE, 0x7000000);
	put32(o->setup + BZ_SETUP_DATA, 0x12345678);
	enters(o);
	assert_memory_equal(digest, o->h.report[GUEST_REPORT_KERNEL], 32);
}

static void no_initrd_and_no_command_line_are_empty_ones(void **state)
{
	struct offer *o = *state;
	uint8_t empty[32];

	EVP_Digest("", 0, empty, NULL, EVP_sha256(), NULL);
	o->h.initrd = file(NULL, 0);
	o->h.cmdline = file(NULL, 0);
	enters(o);
	assert_memory_equal(o->h.report[GUEST_REPORT_INITRD], empty, 32);
	assert_memory_equal(o->h.report[GUEST_REPORT_CMDLINE], empty, 32);
}

/* --- a host that lies ------------------------------------------------------------- */

static void spoilt_devices(void **state)
{
	struct offer *o = *state;
	struct hosted honest = o->h;
	uint32_t i, dmas;

	o->h.no_fwcfg = true;
	refuses(o, "fw_cfg: not found");
	o->h = honest;
	o->h.no_dma = true;
	refuses(o, "fw_cfg: offers no DMA");
	o->h = honest;
	enters(o);
	dmas = o->h.dmas;
	for (i = 1; i <= dmas; i++) {
		o->h = honest;
		o->h.dma_error_at = i;
		refuses(o, "fw_cfg: DMA error");
		if (i > 6)
			continue;
		o->h = honest;
		o->h.dma_hangs_at = i;
		refuses(o, "fw_cfg: DMA does not end");
	}
}

static void a_layer_that_refuses(void **state)
{
	struct offer *o = *state;
	struct hosted honest = o->h;

	o->h.refuse_share = true;
	refuses(o, "sharing the window: refused by the layer");
	o->h = honest;
	o->h.refuse_report = true;
	refuses(o, "reporting a digest: refused by the layer");
	o->h = honest;
	o->h.refuse_ghci = true;
	refuses(o, "asking for the GHCI: refused by the layer");
	o->h = honest;
	o->h.busy = 0xffffffff;
	refuses(o, "sharing the window: the layer still waits");
}

static void lies_about_memory(void **state)
{
	struct offer *o = *state;

	o->h.dir.len = 0;
	refuses(o, "memory map: the host gives none");
	hosted_file_dir(&o->h, o->dir, 1 << 20);
	refuses(o, "memory map: too long");
	hosted_file_dir(&o->h, o->dir, sizeof(o->e820));
	o->e820[0].size = 31 << 20;
	refuses(o, "memory map: less than 32 MiB");
	o->e820[0].size = 0xffffffffffffffff;
	refuses(o, "memory map: RAM where a PC has devices");
	o->e820[0].addr = 0x1000;
	refuses(o, "memory map: less than 32 MiB");
	o->e820[0] = (struct e820_entry){ 0, 48 << 20, E820_RAM };
	o->e820[2].size = 1ull << 60;
	refuses(o, "memory map: more than 1 TiB");
}

static void lies_about_sizes(void **state)
{
	struct offer *o = *state;
	struct hosted honest = o->h;

	o->h.setup.size = 0xffffffff;
	refuses(o, "kernel: setup is longer than 64 KiB");
	o->h.setup.size = SETUP_LEN + 512;
	refuses(o, "kernel: setup_sects does not match");
	o->h.setup.size = 100;
	refuses(o, "kernel: no setup header");
	o->h.setup.size = 0;
	refuses(o, "kernel: none was given");
	o->h = honest;
	o->h.kernel.size = KERNEL_LEN - 1;
	refuses(o, "kernel: truncated");
	o->h = honest;
	o->h.initrd.size = 0xffffffff;
	refuses(o, "memory: the initrd is larger than memory");
	o->h.initrd.size = 44 << 20;
	refuses(o, "memory: init_size and initrd do not fit");
	o->h = honest;
	o->h.cmdline.size = 0xffffffff;
	refuses(o, "command line: longer than the kernel takes");
	o->h.cmdline.size = 5;
	refuses(o, "command line: its length is not that of its text");
	o->h.cmdline.size = 50;
	refuses(o, "command line: its length is not that of its text");
}

/* Each row: four bytes at an offset of the setup header, and the refusal. */
/* What is hashed and runs is one copy, or it would be two of many contents. */
static void rewrites_what_is_read(void **state)
{
	struct offer *o = *state;

	o->h.rewrite = true;
	enters(o);
	assert_true(o->h.rewritten > 100);
	assert_memory_not_equal((void *)o->h.kernel_at, o->kernel, KERNEL_LEN);
	assert_memory_not_equal((void *)o->h.initrd_at, o->initrd, INITRD_LEN);
}

static void spoilt_headers(void **state)
{
	static const struct {
		unsigned int at;
		uint32_t value;
		const char *why;
	} rows[] = {
		{ BZ_MAGIC, 0, "wrong magic" },
		{ BZ_SYSSIZE, 0, "syssize is too small" },
		{ BZ_SYSSIZE, 0xffffffff, "syssize or signature is beyond 1 GiB" },
		{ BZ_INIT_SIZE, 0, "init_size is smaller" },
		{ BZ_INIT_SIZE, 0xffffffff, "init_size is beyond 2 GiB" },
		{ BZ_INIT_SIZE, 0x7fffffff, "memory: init_size and initrd do not fit" },
		{ BZ_KERNEL_ALIGNMENT, 0, "kernel_alignment" },
		{ BZ_KERNEL_ALIGNMENT, 0x80000000, "kernel_alignment" },
		{ BZ_INITRD_ADDR_MAX, 0, "memory: the initrd is larger" },
		{ BZ_INITRD_ADDR_MAX, 0x100000, "memory: the initrd is larger" },
		{ BZ_CMDLINE_SIZE, 3, "command line: longer than the kernel takes" },
		{ BZ_XLOADFLAGS - 2, 0, "has no 64-bit entry" },
		{ BZ_LOADFLAGS, 0, "not loaded high" },
		{ BZ_JUMP - 2, 0xaa55, "the setup header is too short" },
	};
	struct offer *o = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_setup(o->setup);
		put32(o->setup + rows[i].at, rows[i].value);
		if (rows[i].at == BZ_JUMP - 2)
			put32(o->setup + BZ_MAGIC, 0x53726448);
		refuses(o, rows[i].why);
	}
}

static void odd_places_are_moved_or_refused(void **state)
{
	struct offer *o = *state;
	static const uint64_t odd[] = { 0, 0x1000, 0xfff000, 0x1000001, 0xfffffffffffff000ull,
					0x100000000ull, 0x2fff000 };
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		make_setup(o->setup);
		memcpy(o->setup + BZ_PREF_ADDRESS, &odd[i], 8);
		enters(o);
		o->setup[BZ_RELOCATABLE] = 0;
		if (odd[i] == 0xfff000)
			enters(o);
		else
			refuses(o, "memory: pref_address and init_size do not fit");
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_protected_vm_boots_and_reports),
		T(without_acpi_there_is_no_ghci),
		T(as_many_processors_as_the_layer_says),
		T(an_unprotected_vm_boots_and_says_so),
		T(another_abi_is_no_layer),
		T(pending_flushes_are_waited_for),
		T(what_qemu_appends_is_neither_loaded_nor_hashed),
		T(what_a_loader_writes_is_neither_hashed_nor_passed_on),
		T(no_initrd_and_no_command_line_are_empty_ones),
		T(spoilt_devices),
		T(a_layer_that_refuses),
		T(lies_about_memory),
		T(lies_about_sizes),
		T(rewrites_what_is_read),
		T(spoilt_headers),
		T(odd_places_are_moved_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
