// SPDX-License-Identifier: GPL-2.0
/*
 * tpm/crb.c against a CRB that is played here: registers of one locality, a TPM that
 * answers when its time has come, and each way in which it does not.  It takes the place
 * of tpm/bus.c.  Prints results without numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tpm/bus.h"

#define PAGE		(TPM_BASE + TPM_LOCALITY * PAGE_SIZE)
#define LOC_STATUS	0x0c
#define CONTROL		0x40
#define STATUS		0x44
#define START		0x4c
#define DATA		0x80

/* How the played TPM is. */
static struct {
	u32 regs[PAGE_SIZE / 4];
	bool never_granted, never_ready, never_answers, fatal;
	u32 delay, left;	/* looks at START until it has answered */
	u32 code, size;		/* of its answer; size 0: as it should be */
	u32 commands, releases, accesses;
	u8 pcr[TPM_DIGEST];
} crb;

static u8 *data(void)
{
	return (u8 *)crb.regs + DATA;
}

static void put_be32(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 24);
	p[1] = (u8)(v >> 16);
	p[2] = (u8)(v >> 8);
	p[3] = (u8)v;
}

/* An extend adds its digest's bytes to the PCR: enough to tell them apart. */
static void answer(void)
{
	u8 *at = data(), select[3];
	u32 i, len = 10;

	crb.commands++;
	if (at[9] == 0x82) {
		for (i = 0; i < TPM_DIGEST; i++)
			crb.pcr[i] += at[33 + i];
		memset(at, 0, 200);
	} else {
		memcpy(select, at + 17, 3);
		memset(at, 0, 200);
		put_be32(at + 14, 1);
		at[19] = 0x0b;
		at[20] = 3;
		memcpy(at + 21, select, 3);
		put_be32(at + 24, 1);
		at[29] = TPM_DIGEST;
		memcpy(at + 30, crb.pcr, TPM_DIGEST);
		len = 62;
	}
	at[0] = 0x80;
	at[1] = 1;
	put_be32(at + 2, crb.size ? crb.size : len);
	put_be32(at + 6, crb.code);
}

u32 tpm_load32(const struct tpm *t, u32 offset)
{
	crb.accesses++;
	if (offset == START && crb.regs[START / 4] && !crb.never_answers && !crb.left--) {
		crb.regs[START / 4] = 0;
		if (crb.fatal)
			crb.regs[STATUS / 4] |= 1;
		else
			answer();
	}
	return crb.regs[offset / 4];
}

u8 tpm_load8(const struct tpm *t, u32 offset)
{
	crb.accesses++;
	return ((u8 *)crb.regs)[offset];
}

void tpm_store8(const struct tpm *t, u32 offset, u8 value)
{
	crb.accesses++;
	((u8 *)crb.regs)[offset] = value;
}

void tpm_store32(const struct tpm *t, u32 offset, u32 value)
{
	crb.accesses++;
	if (offset == 0x08 && value == 1 && !crb.never_granted)
		crb.regs[LOC_STATUS / 4] = 1;
	else if (offset == 0x08 && value == 2 && ++crb.releases)
		crb.regs[LOC_STATUS / 4] = 0;
	else if (offset == CONTROL && value == 1)
		crb.regs[STATUS / 4] = crb.never_ready ? 2 : 0;
	else if (offset != 0x08 && offset != CONTROL)
		crb.regs[offset / 4] = value;
	if (offset == START)
		crb.left = crb.delay;
}

static struct tpm tpm;

static enum tpm_result find(void)
{
	return tpm_find(&tpm, NULL, TPM_LOCALITY);
}

static void start(void)
{
	memset(&crb, 0, sizeof(crb));
	crb.regs[0x30 / 4] = 1;
	crb.regs[0xf00 / 4] = 0x10001014;
	crb.regs[0x58 / 4] = 0xf80;
	crb.regs[0x5c / 4] = (u32)PAGE + DATA;
	crb.regs[0x64 / 4] = 0xf80;
	crb.regs[0x68 / 4] = (u32)PAGE + DATA;
	crb.regs[STATUS / 4] = 2;
}

static enum tpm_result run(u32 *most)
{
	enum tpm_result result;
	u32 before;

	*most = 0;
	do {
		before = crb.accesses;
		result = tpm_poll(&tpm);
		if (crb.accesses - before > *most)
			*most = crb.accesses - before;
	} while (result == TPM_MORE);
	return result;
}

static void result(bool ok, const char *what)
{
	printf("%sok - %s\n", ok ? "" : "not ", what);
}

/* An extend that ends so, and gives the locality back. */
static void ends(const char *what, enum tpm_result wanted)
{
	static const u8 digest[TPM_DIGEST] = { 9 };
	enum tpm_result got;
	u32 most;

	find();
	tpm_extend(&tpm, 19, digest);
	got = run(&most);
	if (got != wanted)
		printf("got %u\n", got);
	result(got == wanted && crb.releases == 1 && most <= 200, what);
}

int main(void)
{
	static const u8 digest[TPM_DIGEST] = { 1, 2, 3 };
	u32 most;

	start();
	result(find() == TPM_DONE && tpm.crb, "it is found");
	tpm_extend(&tpm, 19, digest);
	result(run(&most) == TPM_DONE && !memcmp(crb.pcr, digest, TPM_DIGEST), "a PCR is extended");
	tpm_read_pcr(&tpm, 19);
	result(run(&most) == TPM_DONE && !memcmp(tpm.pcr, digest, TPM_DIGEST), "and read");
	result(crb.commands == 2 && crb.releases == 2, "each command gives the locality back");
	start();
	crb.regs[0x5c / 4] = 0x1000;
	result(find() == TPM_UNKNOWN, "a buffer elsewhere in memory is refused");
	start();
	crb.regs[0x64 / 4] = 16;
	result(find() == TPM_UNKNOWN, "a buffer too small is refused");
	start();
	crb.regs[0x30 / 4] = 2;
	result(find() == TPM_UNKNOWN, "an unknown interface is refused");
	start();
	crb.regs[0xf00 / 4] = ~0U;
	result(find() == TPM_ABSENT, "nothing there");
	start();
	crb.delay = TPM_POLLS - 1;
	ends("as slow as it may be", TPM_DONE);
	start();
	crb.never_granted = true;
	ends("another locality does not let go", TPM_HELD);
	start();
	crb.never_ready = true;
	ends("it is never ready", TPM_HUNG);
	start();
	crb.never_answers = true;
	ends("it never answers", TPM_HUNG);
	start();
	crb.fatal = true;
	ends("a fatal error", TPM_MALFORMED);
	start();
	crb.code = 0x101;
	ends("it refuses", TPM_FAILED);
	start();
	crb.code = 0x922;
	ends("it asks for ever", TPM_FAILED);
	result(crb.commands == TPM_RETRIES + 1, "and is asked nine times");
	start();
	crb.size = 9;
	ends("an answer shorter than its header", TPM_MALFORMED);
	start();
	crb.size = 0xffffffff;
	ends("an answer of any length", TPM_MALFORMED);
	return 0;
}
