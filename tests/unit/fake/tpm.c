// SPDX-License-Identifier: GPL-2.0
/*
 * A TPM's FIFO at locality 2, in the place of tpm/bus.c: enough of TIS for the two commands,
 * and ways in which it does not answer.
 */
#include <string.h>

#include "fake/tpm.h"
#include "tpm/bus.h"
#include "vmx/base/sha256.h"

struct fake_tpm fake_tpm;

static u8 in[128], out[128];
static u32 in_len, out_len, out_at, looks;
static bool active, gone;

void fake_tpm_reset(u8 pcr)
{
	fake_tpm = (struct fake_tpm){ .present = true };
	memset(fake_tpm.pcr, pcr, sizeof(fake_tpm.pcr));
	in_len = out_len = out_at = looks = 0;
	active = gone = false;
}

/* Is it so with the command that comes, or that has just come? */
static bool now(enum fake_fault fault)
{
	return fake_tpm.fault == fault && fake_tpm.commands + !gone >= fake_tpm.from;
}

static void say(const void *bytes, u32 len)
{
	memcpy(out, bytes, len);
	out_len = len;
}

/* An answer of ten bytes: its size and its code. */
static void say_code(u32 size, u32 code)
{
	const u8 header[10] = {
		0x80, 1, 0, 0, (u8)(size >> 8), (u8)size, 0, 0, (u8)(code >> 8), (u8)code
	};

	say(header, sizeof(header));
}

static void extend(const u8 *digest)
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, fake_tpm.pcr, 32);
	sha256_update(&s, digest, 32);
	sha256_final(&s, fake_tpm.pcr);
	fake_tpm.extends++;
}

static void answer(void)
{
	static const u8 read[] = {
		0x80, 1, 0, 0, 0, 62, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 11, 3,
		0, 0, 8, 0, 0, 0, 1, 0, 32,
	};
	static const u8 done[] = { 0x80, 2, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };
	static const u8 no_bank[] = {
		0x80, 1, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 11, 3, 0, 0, 0,
		0, 0, 0, 0,
	};

	out_at = 0;
	gone = true;
	fake_tpm.commands++;
	if (now(FAKE_REFUSES)) {
		say_code(10, 0x101);
	} else if (now(FAKE_BUSY)) {
		say_code(10, 0x922);
	} else if (now(FAKE_LONG)) {
		say_code(4000, 0);
	} else if (now(FAKE_SHORT)) {
		say_code(9, 0);
	} else if (now(FAKE_NO_BANK) && in[9] == 0x7e) {
		say(no_bank, sizeof(no_bank));
	} else if (now(FAKE_HANGS)) {
		out_len = 0;
	} else if (in[9] == 0x7e) {
		say(read, sizeof(read));
		memcpy(out + sizeof(read), fake_tpm.pcr, 32);
		out_len += 32;
	} else {
		fake_tpm.wrong |= in_len != 65 || in[13] != 19;
		extend(in + 33);
		say(done, sizeof(done));
	}
}

static u32 status(void)
{
	u32 sts = 1 << 7 | 16 << 8;	/* valid; a burst of 16 */

	fake_tpm.looks++;
	if (now(FAKE_FULL))
		sts &= 0xff;
	if (!gone && now(FAKE_DEAF))
		return sts;
	if (!gone)
		return sts | 1 << 6 | (in_len && in_len < 10 ? 1 << 3 : 0) |
		       (in_len >= 10 && in_len < (u32)(in[4] << 8 | in[5]) ? 1 << 3 : 0);
	if (now(FAKE_HANGS) || looks++ < fake_tpm.slow)
		return sts & ~(1u << 7);
	return sts | (out_at < out_len ? 1 << 4 : 0);
}

u8 tpm_load8(const struct tpm *t, u32 offset)
{
	if (offset == 0x24)
		return out_at < out_len ? out[out_at++] : 0xff;
	return offset ? 0xff : (u8)(1 << 7 | (active && !now(FAKE_HELD) ? 1 << 5 : 0));
}

u32 tpm_load32(const struct tpm *t, u32 offset)
{
	if (offset == 0xf00)
		return fake_tpm.present ? 0x00011014 : ~0u;
	return offset == 0x18 ? status() : 0;
}

void tpm_store8(const struct tpm *t, u32 offset, u8 value)
{
	if (offset == 0) {
		active = value == 2;
	} else if (offset == 0x18 && value & 1 << 6) {
		in_len = out_len = looks = 0;
		gone = false;
	} else if (offset == 0x18 && value & 1 << 5) {
		answer();
	} else if (offset == 0x24 && in_len < sizeof(in)) {
		in[in_len++] = value;
	}
}

void tpm_store32(const struct tpm *t, u32 offset, u32 value)
{
}
