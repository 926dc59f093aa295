// SPDX-License-Identifier: GPL-2.0
/*
 * The firmware's host and layer, played: fw_cfg ports, DMA into shared pages only,
 * sharing with delays, reports.  At the kernel's entry every promise is checked:
 * what runs is what was reported, the window is closed, nothing overlaps.
 */
#include <endian.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/evp.h>

#include "boot.h"
#include "vmx/abi/call.h"
#include "vmx/abi/errno.h"
#include "fw.h"
#include "hosted.h"
#include "vmx/base/sha256.h"

#define DMA_ERROR	1u
#define DMA_READ	2u
#define DMA_SELECT	8u
#define KEY_E820	0x20
#define WINDOW_PAGE	(FW_WINDOW / 4096)
#define SZ_64K		0x10000ul
#define WINDOW_END	(FW_WINDOW + FW_WINDOW_PAGES * 4096ul)

enum page_state { PRIVATE, SHARED };

static struct hosted *host;
static jmp_buf out;
static enum page_state window[FW_WINDOW_PAGES];
static uint32_t waits[FW_WINDOW_PAGES];
static uint32_t dma_high;
static uint16_t selected;
static size_t offset;		/* in the file that DMA selected */
static uint16_t dma_selected;
static uint32_t ghci_waits;

static void broken(const char *what)
{
	if (!host->broken)
		host->broken = what;
	longjmp(out, 1);
}

static void map_memory(void)
{
	static bool mapped;
	size_t len = 0x100000 + HOSTED_LOW - SZ_64K;
	void *at = (void *)(uintptr_t)SZ_64K;

	if (!mapped && mmap(at, len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE,
			    -1, 0) != at) {
		perror("mapping the guest's memory");
		exit(1);
	}
	mapped = true;
	/* its C touches its zero page, command line, window, what stays, and RAM from 1 MiB */
	mprotect((void *)SZ_64K, FW_ZERO_PAGE - SZ_64K, PROT_NONE);
	mprotect((void *)(FW_CMDLINE + 4096), FW_WINDOW - FW_CMDLINE - 4096, PROT_NONE);
	mprotect((void *)FW_ACPI_END, 0x100000 - FW_ACPI_END, PROT_NONE);
}

/* --- a host that writes to the window while it is read --------------------------- */

#define WINDOW_DATA	((void *)(FW_WINDOW + 4096ul))
#define DATA_BYTES	((FW_WINDOW_PAGES - 1) * 4096ul)

static void forbid_window(bool forbidden)
{
	mprotect(WINDOW_DATA, DATA_BYTES, forbidden ? PROT_NONE : PROT_READ | PROT_WRITE);
}

/* Zeros stay, and no more come: they end the command line. */
static void rewrite_page(uint8_t *page)
{
	static uint32_t x = 1;
	unsigned int i;

	for (i = 0; i < 4096; i++) {
		x = x * 1664525 + 1013904223;
		page[i] = page[i] ? (uint8_t)(x >> 24) | 1 : 0;
	}
}

/*
 * Who comes to a page finds other bytes there, each time; out of reach are all but that and
 * the last, which one instruction may read together.
 */
static void on_read(int sig, siginfo_t *info, void *context)
{
	static uintptr_t last = FW_WINDOW + 4096;
	uintptr_t at = (uintptr_t)info->si_addr;

	(void)context;
	if (at < FW_WINDOW + 4096 || at >= WINDOW_END) {
		signal(sig, SIG_DFL);
		return;
	}
	at &= ~4095ul;
	forbid_window(true);
	mprotect((void *)last, 4096, PROT_READ | PROT_WRITE);
	mprotect((void *)at, 4096, PROT_READ | PROT_WRITE);
	rewrite_page((uint8_t *)at);
	last = at;
	host->rewritten++;
}

static void watch_window(void)
{
	struct sigaction fault = { .sa_sigaction = on_read, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &fault, NULL);
}

static bool rewrites(uint16_t key)
{
	return host->rewrite && (key == FWCFG_KERNEL_DATA || key == FWCFG_INITRD_DATA ||
				 key == FWCFG_CMDLINE_DATA);
}

/* --- fw_cfg ------------------------------------------------------------------ */

static struct hosted_file number(uint32_t *value)
{
	return (struct hosted_file){ (uint8_t *)value, sizeof(*value), sizeof(*value) };
}

static struct hosted_file file_of(uint16_t key)
{
	switch (key) {
	case FWCFG_KERNEL_SIZE:
		return number(&host->kernel.size);
	case FWCFG_INITRD_SIZE:
		return number(&host->initrd.size);
	case FWCFG_CMDLINE_SIZE:
		return number(&host->cmdline.size);
	case FWCFG_SETUP_SIZE:
		return number(&host->setup.size);
	case FWCFG_KERNEL_DATA:
		return host->kernel;
	case FWCFG_INITRD_DATA:
		return host->initrd;
	case FWCFG_CMDLINE_DATA:
		return host->cmdline;
	case FWCFG_SETUP_DATA:
		return host->setup;
	case FWCFG_FILE_DIR:
		return host->dir;
	case KEY_E820:
		return host->e820;
	}
	return (struct hosted_file){ 0 };
}

static void check_shared(uint64_t at, size_t len)
{
	uint64_t page;

	if (at < FW_WINDOW || at + len > FW_WINDOW + FW_WINDOW_PAGES * 4096)
		broken("DMA outside of the window");
	for (page = at / 4096; page <= (at + len - 1) / 4096; page++)
		if (host->layer && window[page - WINDOW_PAGE] != SHARED)
			broken("DMA to a page that is not shared");
}

static void deliver(uint64_t to, size_t len)
{
	struct hosted_file f = file_of(dma_selected);
	size_t n = offset < f.len ? f.len - offset : 0;

	if (n > len)
		n = len;
	check_shared(to, len);
	memset((void *)to, 0, len);
	if (n)
		memcpy((void *)to, f.data + offset, n);
	offset += len;
	forbid_window(rewrites(dma_selected));
}

static void dma(uint64_t at)
{
	struct {
		uint32_t control;
		uint32_t length;
		uint64_t address;
	} c;
	uint32_t status = 0;

	host->dmas++;
	if (host->dma_hangs_at == host->dmas)
		return;
	forbid_window(false);
	check_shared(at, sizeof(c));
	memcpy(&c, (void *)at, sizeof(c));
	c.control = be32toh(c.control);
	if (c.control & DMA_SELECT) {
		dma_selected = (uint16_t)(c.control >> 16);
		offset = 0;
	}
	if (host->dma_error_at == host->dmas)
		status = DMA_ERROR;
	else if (c.control & DMA_READ)
		deliver(be64toh(c.address), be32toh(c.length));
	status = htobe32(status);
	memcpy((void *)at, &status, sizeof(status));
}

void outb(u16 port, u8 value)
{
	(void)port;
	(void)value;
}

void outw(u16 port, u16 value)
{
	if (port == 0x510) {
		selected = value;
		offset = 0;
	}
}

void outl(u16 port, u32 value)
{
	if (port == 0x514)
		dma_high = be32toh(value);
	else if (port == 0x518)
		dma((uint64_t)dma_high << 32 | be32toh(value));
}

u8 inb(u16 port)
{
	if (port != 0x511)
		return 0xff;
	if (selected == FWCFG_ID)
		return host->no_dma ? 1 : 3;
	if (selected == FWCFG_SIGNATURE && offset < 4)
		return (u8)(host->no_fwcfg ? "NONE" : "QEMU")[offset++];
	return 0;
}

/* --- the layer ---------------------------------------------------------------- */

static s64 change_page(u64 gfn, u64 count, enum page_state from, enum page_state to)
{
	u64 i = gfn - WINDOW_PAGE;

	if (count != 1 || i >= FW_WINDOW_PAGES)
		broken("sharing anything but the window");
	if (window[i] != from)
		broken("sharing or unsharing a page twice");
	if (host->refuse_share)
		return -UP_EBUSY;
	if (waits[i]++ < host->busy)
		return -UP_EAGAIN;
	waits[i] = 0;
	window[i] = to;
	forbid_window(false);
	memset((void *)(gfn * 4096), 0, 4096);
	return 0;
}

static s64 report(u64 index, u64 gpa)
{
	if (index >= UP_VM_REPORTS || host->reports & 1u << index)
		broken("a report twice, or without a place");
	if (host->refuse_report)
		return -UP_EINVAL;
	host->reports |= 1u << index;
	memcpy(host->report[index], (void *)gpa, 32);
	return 0;
}

static s64 ghci(u64 gfn, u64 *vcpus)
{
	unsigned int i;

	for (i = 0; i < FW_WINDOW_PAGES; i++)
		if (window[i] != PRIVATE)
			broken("asking for the GHCI with the window open");
	if (gfn != FW_STUB / 4096 || host->ghci)
		broken("asking for the GHCI twice, or with another page");
	if (host->refuse_ghci)
		return -UP_EBUSY;
	if (ghci_waits++ < host->busy)
		return -UP_EAGAIN;
	host->ghci = true;
	*vcpus = host->vcpus;
	return 0;
}

s64 guest_call(u64 op, u64 rbx, u64 rcx, u64 *out_rbx)
{
	if (op == UP_GUEST_PRESENT && (host->layer || host->other_layer)) {
		*out_rbx = host->layer ? UP_ABI_VERSION : UP_ABI_VERSION + 1;
		return 0;
	}
	if (!host->layer)
		return -UP_ENOSYS;
	switch (op) {
	case UP_GUEST_SHARE:
		return change_page(rbx, rcx, PRIVATE, SHARED);
	case UP_GUEST_UNSHARE:
		return change_page(rbx, rcx, SHARED, PRIVATE);
	case UP_GUEST_REPORT:
		return report(rbx, rcx);
	case UP_GUEST_GHCI:
		return ghci(rbx, out_rbx);
	}
	broken("an unknown call");
	return -UP_ENOSYS;
}

/* --- what surrounds the firmware's C ------------------------------------------- */

void trap_init(void)
{
}

void processor_set_up(bool ghci)
{
	if (ghci != host->ghci)
		broken("the processor's set-up is of another kind");
}

void processors_prepare(void)
{
	if (host->ghci)
		broken("other processors could run before they were prepared for");
}

void say(const char *text)
{
	size_t room = sizeof(host->text) - 1 - host->text_len;
	size_t n = strlen(text);

	if (n > room)
		n = room;
	memcpy(host->text + host->text_len, text, n);
	host->text_len += n;
	host->text[host->text_len] = '\0';
}

void say_hex(u64 value, unsigned int digits)
{
	char text[20];

	snprintf(text, sizeof(text), "%0*lx", (int)digits, value);
	say(text);
}

void say_dec(u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", value);
	say(text);
}

void say_digest(const char *name, const u8 digest[32])
{
	(void)digest;
	say(name);
	say(" digest\n");
}

void __noreturn fail(const char *what, const char *why)
{
	say("FAILED: ");
	say(what);
	say(": ");
	say(why);
	longjmp(out, 1);
}

/* --- the promises --------------------------------------------------------------- */

static uint32_t zp32(const uint8_t *zp, unsigned int at)
{
	uint32_t v;

	memcpy(&v, zp + at, sizeof(v));
	return v;
}

/* The digest of what lies in memory, as the report with this index. */
static void check_report(enum guest_report index, const void *a, size_t a_len,
			 const void *b, size_t b_len, const char *what)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32];

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(ctx, a, a_len) || !EVP_DigestUpdate(ctx, b, b_len) ||
	    !EVP_DigestFinal_ex(ctx, digest, NULL))
		abort();
	EVP_MD_CTX_free(ctx);
	if (host->layer && (!(host->reports & 1u << index) ||
			    memcmp(digest, host->report[index], 32)))
		broken(what);
}

static void check_header(const uint8_t *zp)
{
	uint64_t setup_data;

	memcpy(&setup_data, zp + BZ_SETUP_DATA, 8);
	if (setup_data || zp32(zp, BZ_CMD_LINE_PTR) != FW_CMDLINE)
		broken("the host's words in the zero page");
	if (zp[0x1e8] < 1 || zp[0x1e8] > MEMMAP_MAX)
		broken("no memory map in the zero page");
}

static void check_places(const struct bzimage *b, uint64_t kernel, uint64_t initrd, uint64_t len)
{
	struct memory m;
	uint64_t end = kernel + b->init_size;

	memory_parse(host->e820.data, host->e820.size, &m);
	if (kernel < 0x100000 || end > m.low || end < kernel)
		broken("the kernel is not in RAM");
	if (len && (initrd < end || initrd + len > m.low || initrd + len < initrd))
		broken("the initrd is not in RAM or overlaps the kernel");
}

static bool sums_to_zero(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return !sum;
}

static const uint8_t *table_at(uint64_t at, const char *signature)
{
	const uint8_t *p = (const uint8_t *)at;
	uint32_t len;

	memcpy(&len, p + 4, sizeof(len));
	if (at < FW_ACPI || at + len > FW_ACPI_END || memcmp(p, signature, 4) ||
	    (strcmp(signature, "FACS") && !sums_to_zero(p, len)))
		broken("an ACPI table is no table");
	return p;
}

static uint64_t u64_at(const uint8_t *p, unsigned int at)
{
	uint64_t v;

	memcpy(&v, p + at, sizeof(v));
	return v;
}

/* As ACPI 6.4, 5.2, finds its way through them. */
static void check_acpi(const uint8_t *zp)
{
	uint64_t rsdp = u64_at(zp, 0x70);
	const uint8_t *xsdt, *fadt, *madt;
	unsigned int at, n = 0;
	uint32_t len;

	if (!rsdp != !host->ghci)
		broken("ACPI tables without the GHCI, or the reverse");
	if (!rsdp)
		return;
	if (memcmp((void *)rsdp, "RSD PTR ", 8) || !sums_to_zero((void *)rsdp, 20) ||
	    !sums_to_zero((void *)rsdp, 36))
		broken("the RSDP is none");
	xsdt = table_at(u64_at((void *)rsdp, 24), "XSDT");
	fadt = table_at(u64_at(xsdt, 36), "FACP");
	madt = table_at(u64_at(xsdt, 44), "APIC");
	table_at(u64_at(fadt, 132), "FACS");
	table_at(u64_at(fadt, 140), "DSDT");
	memcpy(&len, madt + 4, sizeof(len));
	for (at = 44; at + 1 < len && madt[at + 1]; at += madt[at + 1]) {
		n += madt[at] == 0;
		if (madt[at] == 16 && u64_at(madt, at + 8) != FW_MAILBOX)
			broken("another mailbox");
	}
	if (at != len || n != host->vcpus)
		broken("the MADT has other processors");
	len = host->vcpus;
	check_report(GUEST_REPORT_VCPUS, &len, sizeof(len), "", 0,
		     "the number of vCPUs is not what was reported");
}

static void check_handover(uint64_t entry, const uint8_t *zp)
{
	static uint8_t setup[BZIMAGE_SETUP_MAX];
	uint32_t initrd = zp32(zp, BZ_RAMDISK_IMAGE), len = zp32(zp, BZ_RAMDISK_SIZE);
	uint64_t kernel = entry - 0x200;
	struct bzimage b;
	size_t n = host->setup.len < host->setup.size ? host->setup.len : host->setup.size;

	memset(setup, 0, sizeof(setup));
	memcpy(setup, host->setup.data, n);
	if (bzimage_parse(setup, host->setup.size, &b))
		broken("a kernel that should have been refused");
	bzimage_canonical(setup);
	check_header(zp);
	check_places(&b, kernel, initrd, len);
	check_report(GUEST_REPORT_KERNEL, setup, b.setup_len, (void *)kernel, b.payload_len,
		     "the kernel is not what was reported");
	check_report(GUEST_REPORT_INITRD, (void *)(uintptr_t)initrd, len, "", 0,
		     "the initrd is not what was reported");
	check_report(GUEST_REPORT_CMDLINE, (void *)FW_CMDLINE, strlen((char *)FW_CMDLINE), "", 0,
		     "the command line is not what was reported");
	check_report(GUEST_REPORT_MEMMAP, zp + 0x2d0, zp[0x1e8] * sizeof(struct e820_entry), "", 0,
		     "the memory map is not what was reported");
	check_acpi(zp);
	host->kernel_at = kernel;
	host->initrd_at = initrd;
}

void __noreturn enter_kernel(u64 entry, void *boot_params)
{
	unsigned int i;

	for (i = 0; i < FW_WINDOW_PAGES; i++)
		if (window[i] != PRIVATE)
			broken("the window is open while the kernel runs");
	check_handover(entry, boot_params);
	host->entered = true;
	longjmp(out, 1);
}

void hosted_file_dir(struct hosted *h, uint8_t dir[68], uint32_t e820_size)
{
	static const uint8_t count[4] = { 0, 0, 0, 1 }, key[2] = { 0, KEY_E820 };

	memset(dir, 0, 68);
	memcpy(dir, count, 4);
	e820_size = htobe32(e820_size);
	memcpy(dir + 4, &e820_size, 4);
	memcpy(dir + 8, key, 2);
	strcpy((char *)dir + 12, "etc/e820");
	h->dir = (struct hosted_file){ dir, 68, 68 };
}

void hosted_run(struct hosted *h)
{
	map_memory();
	host = h;
	h->entered = false;
	h->broken = NULL;
	h->text_len = h->dmas = h->reports = h->rewritten = 0;
	forbid_window(false);
	if (h->rewrite)
		watch_window();
	h->text[0] = '\0';
	memset(window, 0, sizeof(window));
	memset(waits, 0, sizeof(waits));
	ghci_waits = 0;
	h->ghci = false;
	if (!setjmp(out))
		fw_main();
}
