// SPDX-License-Identifier: GPL-2.0
/*
 * The guest firmware: what a protected VM runs first.  It fetches kernel, initrd
 * and command line from the host, hashes its private copies, reports the digests
 * to the layer and enters the kernel.  It is the same without a layer, but says so.
 */
#include "acpi.h"
#include "boot.h"
#include "fw.h"
#include "vmx/base/lib.h"
#include "vmx/base/sha256.h"

static u8 setup[BZIMAGE_SETUP_MAX];
static struct handover handover;

static void check(const char *what, const char *why)
{
	if (why)
		fail(what, why);
}

static void report(enum guest_report index, const char *name, struct sha256 *s)
{
	static u8 digest[32] __aligned(32);	/* the layer reads it: in one page */

	sha256_final(s, digest);
	say_digest(name, digest);
	layer_report(index, digest);
}

static void read_memory(struct memory *m)
{
	static u8 file[64 * sizeof(struct e820_entry)];
	u32 size;
	u16 key;

	if (!fwcfg_find("etc/e820", &key, &size))
		fail("memory map", "the host gives none (fw_cfg etc/e820)");
	if (size > sizeof(file))
		fail("memory map", "too long");
	fwcfg_read(key, file, size, NULL);
	check("memory map", memory_parse(file, size, m));
}

static void make_memory_map(const struct memory *m)
{
	struct handover *h = &handover;
	struct sha256 s;

	h->map_entries = memory_map(m, cmdline_wants_ghci((char *)FW_CMDLINE), h->map);
	sha256_init(&s);
	sha256_update(&s, h->map, h->map_entries * sizeof(h->map[0]));
	report(GUEST_REPORT_MEMMAP, "memory map", &s);
}

/* Of a string that ends within a page. */
static u32 text_len(const char *text)
{
	u32 len = 0;

	while (text[len])
		len++;
	return len;
}

static void read_cmdline(void)
{
	u32 size = fwcfg_u32(FWCFG_CMDLINE_SIZE), len;
	char *cmdline = (char *)FW_CMDLINE;
	struct sha256 s;

	if (size > handover.image.cmdline_max + 1)
		fail("command line", "longer than the kernel takes");
	memset(cmdline, 0, PAGE_SIZE);
	fwcfg_read(FWCFG_CMDLINE_DATA, cmdline, size, NULL);
	len = size ? size - 1 : 0;
	if (cmdline[len] || text_len(cmdline) != len)
		fail("command line", "its length is not that of its text");
	sha256_init(&s);
	sha256_update(&s, cmdline, len);
	report(GUEST_REPORT_CMDLINE, "cmdline", &s);
}

static void read_setup(void)
{
	u32 len = fwcfg_u32(FWCFG_SETUP_SIZE);

	if (!len || !fwcfg_u32(FWCFG_KERNEL_SIZE))
		fail("kernel", "none was given (-kernel)");
	if (len > sizeof(setup))
		fail("kernel", "setup is longer than 64 KiB");
	fwcfg_read(FWCFG_SETUP_DATA, setup, len, NULL);
	check("kernel", bzimage_parse(setup, len, &handover.image));
	if (fwcfg_u32(FWCFG_KERNEL_SIZE) < handover.image.payload_len)
		fail("kernel", "truncated: shorter than its header says");
	bzimage_canonical(setup);
	handover.setup = setup;
}

static void read_kernel(void)
{
	struct bzimage *b = &handover.image;
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, setup, b->setup_len);
	fwcfg_read(FWCFG_KERNEL_DATA, (void *)handover.at.kernel, b->payload_len, &s);
	report(GUEST_REPORT_KERNEL, "kernel", &s);
}

static void read_initrd(void)
{
	struct sha256 s;

	sha256_init(&s);
	fwcfg_read(FWCFG_INITRD_DATA, (void *)handover.at.initrd, handover.initrd_len, &s);
	report(GUEST_REPORT_INITRD, "initrd", &s);
}

/* From here on the layer speaks the GHCI, and lets the other processors run.  Return: the RSDP */
static u64 start_ghci(void)
{
	struct sha256 s;
	u32 vcpus;

	pm_set_up();
	processors_prepare();
	vcpus = layer_ghci();
	if (!acpi_tables((u8 *)FW_ACPI, FW_ACPI_END - FW_ACPI, FW_ACPI, FW_MAILBOX, vcpus))
		fail("ACPI tables", "they do not fit");
	sha256_init(&s);
	sha256_update(&s, &vcpus, sizeof(vcpus));
	report(GUEST_REPORT_VCPUS, "vcpus", &s);
	return FW_ACPI;
}

void fw_main(void)
{
	struct memory memory;
	bool ghci;

	trap_init();
	say("\nunderpin-fw: started\n");
	layer_find();
	fwcfg_open();
	read_memory(&memory);
	read_setup();
	handover.initrd_len = fwcfg_u32(FWCFG_INITRD_SIZE);
	check("memory", bzimage_place(&handover.image, memory.low, handover.initrd_len,
				      &handover.at));
	read_cmdline();
	make_memory_map(&memory);
	read_kernel();
	read_initrd();
	fwcfg_close();
	ghci = layer_present() && cmdline_wants_ghci((char *)FW_CMDLINE);
	handover.acpi = ghci ? start_ghci() : 0;
	boot_kernel(&handover);
}
