// SPDX-License-Identifier: GPL-2.0
/*
 * Reaches for a TPM's localities as root of a host can: by a mapping of /dev/mem, by a
 * module of its own, and by a device.  Prints for each
 *
 *	WAY LOCALITY id ID access ACCESS extend CODE
 *
 * ACCESS behind a request for the locality; CODE is the TPM's answer to an extend of PCR 19
 * there, "denied" where it never asked for one, or "-".  A load that faults gives all ones,
 * as one that nobody answers does.
 *
 * localities look: without an extend.  localities take: with one.  localities hold: locality 3
 * is taken and kept until standard input ends; what is printed is its ACCESS.
 * Needs iomem=relaxed; for the module attack.ko, for the device QEMU's edu.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/attack/abi.h"
#include "tests/attack/edu.h"

#define PAGE		4096ul
#define TPM		0xfed40000ul	/* locality 0's page */
#define LOCALITIES	5
#define PCR		19
#define PAGEMAP_PFN	((1ull << 55) - 1)

/* TCG PC Client Platform TPM Profile, 6.5.2: FIFO. */
#define ACCESS		0x00
#define ACCESS_USE	0x02
#define ACCESS_ACTIVE	0x20
#define STS		0x18
#define STS_DATA	0x10
#define STS_GO		0x20
#define STS_READY	0x40
#define STS_VALID	0x80
#define FIFO		0x24
#define DID_VID		0xf00
#define POLLS		2000		/* of a millisecond */

static int mem, attack_fd;
static unsigned int locality;

static unsigned long at(unsigned int offset)
{
	return TPM + locality * PAGE + offset;
}

/* --- ways to a register --------------------------------------------------------- */

static volatile uint32_t *mapped;
static sigjmp_buf fault;

static void on_fault(int number)
{
	(void)number;
	siglongjmp(fault, 1);
}

static uint32_t load_mapped(unsigned int offset)
{
	return sigsetjmp(fault, 1) ? ~0u : mapped[offset / 4];
}

static void store_mapped(unsigned int offset, uint32_t value)
{
	if (!sigsetjmp(fault, 1))
		mapped[offset / 4] = value;
}

static bool map(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, (off_t)at(0));

	if (mapped)
		munmap((void *)(uintptr_t)mapped, PAGE);
	mapped = p == MAP_FAILED ? NULL : p;
	return mapped;
}

static uint32_t load_module(unsigned int offset)
{
	struct atk_reg r = { .pa = at(offset), .bytes = 4 };

	if (ioctl(attack_fd, ATK_REG, &r))
		warn("the module's load");
	return (uint32_t)r.val;
}

static void store_module(unsigned int offset, uint32_t value)
{
	struct atk_reg r = { .pa = at(offset), .bytes = 4, .val = value, .write = 1 };

	if (ioctl(attack_fd, ATK_REG, &r))
		warn("the module's store");
}

static bool have_module(void)
{
	return attack_fd >= 0;
}

/* The device copies the registers' page to a page of ours: what it does not reach stays. */
static uint32_t *own;
static uint64_t own_pa;

static uint32_t load_device(unsigned int offset)
{
	memset(own, 0, PAGE);
	edu_copy(own_pa, false);
	edu_copy(at(0), false);
	edu_copy(own_pa, true);
	return own[offset / 4];
}

static bool have_device(void)
{
	int map = open("/proc/self/pagemap", O_RDONLY);
	char dir[EDU_DIR];
	uint64_t entry;

	if (own)
		return true;
	own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		   -1, 0);
	if (!edu_find(dir) || own == MAP_FAILED || mlock(own, PAGE) ||
	    pread(map, &entry, sizeof(entry), (off_t)((uintptr_t)own / PAGE * 8)) != sizeof(entry))
		errx(1, "no device, or no page for it");
	edu_use(dir);
	own_pa = (entry & PAGEMAP_PFN) * PAGE;
	return true;
}

static const struct way {
	const char *name;
	bool (*there)(void);
	uint32_t (*load)(unsigned int offset);
	void (*store)(unsigned int offset, uint32_t value);	/* NULL: it only looks */
	bool extends;
} ways[] = {
	{ "mapping", map, load_mapped, store_mapped, true },
	{ "module", have_module, load_module, store_module, true },
	{ "device", have_device, load_device, NULL, false },
};

/* --- what is done there --------------------------------------------------------- */

static bool wait_for(const struct way *w, unsigned int offset, uint32_t bits)
{
	int i;

	/* All ones are nobody's answer. */
	for (i = 0; i < POLLS && (w->load(offset) & 0xff) != 0xff; i++) {
		if ((w->load(offset) & bits) == bits)
			return true;
		usleep(1000);
	}
	return false;
}

/*
 * PCR 19, by a digest that says who was here.  The password is as good as none, and makes whole
 * words of the command.  Return: the TPM's code, or "denied"
 */
static const char *extend(const struct way *w)
{
	static char code[16];
	uint8_t command[68] = {
		0x80, 2, 0, 0, 0, 68, 0, 0, 1, 0x82, 0, 0, 0, PCR, 0, 0, 0, 12, 0x40, 0, 0, 9,
		0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 0, 0xb, 0xee, (uint8_t)locality,
	};
	uint32_t word, answer[3];
	unsigned int i;

	w->store(STS, STS_READY);
	if (!wait_for(w, STS, STS_READY))
		return "denied";
	for (i = 0; i < sizeof(command); i += 4) {
		memcpy(&word, command + i, 4);
		w->store(FIFO, word);
	}
	w->store(STS, STS_GO);
	if (!wait_for(w, STS, STS_VALID | STS_DATA))
		return "denied";
	for (i = 0; i < 3; i++)
		answer[i] = w->load(FIFO);
	w->store(STS, STS_READY);
	snprintf(code, sizeof(code), "%#x", __builtin_bswap32(answer[1] >> 16 | answer[2] << 16));
	return code;
}

static void reach(const struct way *w, bool take)
{
	uint32_t id, access;

	if (!w->there()) {
		printf("%s %u missing\n", w->name, locality);
		return;
	}
	id = w->load(DID_VID);
	if (w->store) {
		w->store(ACCESS, ACCESS_USE);
		wait_for(w, ACCESS, ACCESS_ACTIVE);
	}
	access = w->load(ACCESS) & 0xff;
	printf("%s %u id %08x access %02x extend %s\n", w->name, locality, id, access,
	       take && w->extends ? extend(w) : "-");
	if (w->store)
		w->store(ACCESS, ACCESS_ACTIVE);
	fflush(stdout);
}

static int hold(const struct way *w)
{
	char end;

	locality = 3;
	if (!w->there())
		err(1, "/dev/mem");
	w->store(ACCESS, ACCESS_USE);
	wait_for(w, ACCESS, ACCESS_ACTIVE);
	printf("%02x\n", w->load(ACCESS) & 0xff);
	fflush(stdout);
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	w->store(ACCESS, ACCESS_ACTIVE);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc == 2 ? argv[1] : "";
	bool take = !strcmp(verb, "take");
	unsigned int i;

	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	mem = open("/dev/mem", O_RDWR | O_SYNC);
	if (!strcmp(verb, "hold"))
		return hold(&ways[0]);
	if (!take && strcmp(verb, "look"))
		errx(2, "look, take or hold");
	attack_fd = open("/dev/attack", O_RDWR);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (locality = 1; locality < LOCALITIES; locality++)
			reach(&ways[i], take);
	return 0;
}
