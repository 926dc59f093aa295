// SPDX-License-Identifier: GPL-2.0
/*
 * The first and only program of a machine with a TPM: drives it by the root image's own
 * objects, as the layer does, at locality 2 beneath Linux's own driver, which has
 * locality 0.  Needs iomem=relaxed.  A line "tpm: NAME: WHAT" for each case.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ept/device.h"
#include "iommu/launch.h"
#include "tpm/tpm.h"
#include "vmx/abi/errno.h"
#include "vmx/attest/key.h"
#include "vmx/attest/pcr.h"
#include "vmx/base/cpus.h"
#include "vmx/base/log.h"
#include "vmx/base/sha256.h"

#define NAP	500	/* us between polls: 20,000 of them are 10 s */

static const char * const results[] = {
	[TPM_MORE] = "more", [TPM_DONE] = "done", [TPM_ABSENT] = "absent",
	[TPM_UNKNOWN] = "unknown", [TPM_HELD] = "held", [TPM_HUNG] = "hung",
	[TPM_MALFORMED] = "malformed", [TPM_FAILED] = "failed", [TPM_NO_BANK] = "no bank",
};

static struct tpm tpm;

static volatile u8 *page(u32 locality)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *at = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			TPM_BASE + locality * PAGE_SIZE);

	close(fd);
	if (at == MAP_FAILED)
		perror("tpm: /dev/mem");
	return at == MAP_FAILED ? NULL : at;
}

static enum tpm_result finish(u32 nap, u32 *polls)
{
	enum tpm_result result;

	*polls = 0;
	do {
		result = tpm_poll(&tpm);
		++*polls;
		if (nap)
			usleep(nap);
	} while (result == TPM_MORE);
	return result;
}

static enum tpm_result extend(const char *name, u32 pcr, u8 first, u32 nap)
{
	u8 digest[TPM_DIGEST] = { first };
	enum tpm_result result;
	u32 polls;

	tpm_extend(&tpm, pcr, digest);
	result = finish(nap, &polls);
	printf("tpm: %s: %s, code 0x%x, stage %u, retries %u; polls %s %u\n", name,
	       results[result], tpm.code, tpm.stuck, tpm.retries,
	       polls > TPM_POLLS ? "above" : "within", TPM_POLLS);
	return result;
}

static void read_pcr(const char *name, u32 pcr)
{
	enum tpm_result result;
	u32 polls, i;

	tpm_read_pcr(&tpm, pcr);
	result = finish(NAP, &polls);
	printf("tpm: %s: %s ", name, results[result]);
	for (i = 0; i < TPM_DIGEST; i++)
		printf("%02X", tpm.pcr[i]);
	putchar('\n');
}

/* What Linux's own driver reads, at locality 0. */
static void linux_reads(const char *name, u32 pcr)
{
	char path[64], line[80] = "nothing";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/tpm/tpm0/pcr-sha256/%u", pcr);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(line), file))
		perror(path);
	printf("tpm: %s: done %s%s", name, line, strchr(line, '\n') ? "" : "\n");
}

static void print_expected(const char *name, u8 first)
{
	u8 digest[TPM_DIGEST] = { first }, pcr[TPM_DIGEST];
	struct sha256 s;
	u32 i;

	sha256_init(&s);
	sha256_update(&s, tpm.pcr, TPM_DIGEST);
	sha256_update(&s, digest, sizeof(digest));
	sha256_final(&s, pcr);
	printf("tpm: %s: done ", name);
	for (i = 0; i < TPM_DIGEST; i++)
		printf("%02X", pcr[i]);
	putchar('\n');
}

/* Another locality has the TPM, and keeps it: then it lets go. */
static void held(volatile u8 *other)
{
	int tries;

	for (tries = 0; tries < 1000 && !(other[0] & 0x20); tries++) {
		other[0] = 2;
		usleep(NAP);
	}
	extend("another locality holds it", 19, 2, 0);
	other[0] = 0x20;
	extend("and lets go", 19, 2, NAP);
}

/* --- the launch's events, by the layer's own code: what it needs of the rest is here --- */

struct up_config up_config = { .image_sha256 = { 1, 2, 3, 4 } };

volatile void *device_at(u64 pa, u32 size)
{
	(void)size;
	return page((u32)((pa - TPM_BASE) / PAGE_SIZE));
}

enum up_iommu_state iommu_state(void)
{
	return UP_IOMMU_NONE;
}

const u8 *key_public(void)
{
	return (const u8 *)"thirty-two bytes of a public key";
}

void up_log(const char *fmt, ...)
{
	printf("# %s\n", fmt);
}

static void events(const char *name, bool end)
{
	struct up_status status = { };
	u32 polls = 0;
	long err;

	do {
		err = pcr_extend(end);
		polls++;
		usleep(NAP);
	} while (err == -UP_EAGAIN);
	pcr_status(&status);
	printf("tpm: %s: error %ld, %u events, reason %u, polls %s 4\n", name, err,
	       status.tpm_events, status.tpm, polls > 4 ? "above" : "within");
}

/* PCR 19 is as a reset leaves it. */
static void launch(void)
{
	pcr_init();
	events("the launch", false);
	linux_reads("the launch, by Linux", 19);
	events("its end", true);
	linux_reads("its end, by Linux", 19);
	pcr_init();
	events("a second launch", false);
	linux_reads("a second launch, by Linux", 19);
}

/* PCRs 17 to 22 are zeros, then 17 has what was measured; then a launch, which takes its time. */
static void behind_a_dynamic_launch(void)
{
	extend("a dynamic launch", 16, 0xd1, NAP);
	linux_reads("PCR 17, by Linux", 17);
	extend("from now on slow", 16, 0xd2, NAP);
	pcr_init();
	events("a launch behind it", false);
	extend("well again", 16, 0xd0, NAP);
	linux_reads("a launch behind it, by Linux", 19);
}

static void cases(volatile u8 *regs)
{
	read_pcr("before", 19);
	linux_reads("before, by Linux", 19);
	print_expected("expected", 1);
	extend("extended", 19, 1, NAP);
	read_pcr("after", 19);
	linux_reads("after, by Linux", 19);
	read_pcr("PCR 0 is another one", 0);
	linux_reads("PCR 0, by Linux", 0);
	held(page(3));
	extend("slow", 19, 0xe1, NAP);
	extend("failing", 19, 0xe3, NAP);
	extend("asks again", 19, 0xe4, NAP);
	extend("asks for ever", 19, 0xe5, NAP);
	extend("an answer too long", 19, 0xe6, NAP);
	extend("a PCR that no TPM has", 100, 1, NAP);
	read_pcr("still well", 19);
	linux_reads("still well, by Linux", 19);
	behind_a_dynamic_launch();
	extend("from now on hung", 16, 0xd3, NAP);
	extend("hung", 19, 1, NAP);
}

int main(void)
{
	volatile u8 *regs;
	enum tpm_result found;

	mkdir("/dev", 0755);
	mkdir("/sys", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	setlinebuf(stdout);
	regs = page(TPM_LOCALITY);
	found = regs ? tpm_find(&tpm, regs, TPM_LOCALITY) : TPM_ABSENT;
	printf("tpm: found: %s, crb %u\n", results[found], tpm.crb);
	if (found == TPM_DONE) {
		launch();
		cases(regs);
	}
	puts("tpm: end");
	sync();
	reboot(RB_AUTOBOOT);
	return 0;
}
