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
	static const u8 failed[] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 1, 1 };

	out_at = 0;
	gone = true;
	if (fake_tpm.fails && fake_tpm.extends + 1 == fake_tpm.fails && in[9] == 0x82) {
		out_len = sizeof(failed);
		memcpy(out, failed, sizeof(failed));
	} else if (in[9] == 0x7e) {
		out_len = sizeof(read) + 32;
		memcpy(out, read, sizeof(read));
		memcpy(out + sizeof(read), fake_tpm.pcr, 32);
	} else {
		fake_tpm.wrong |= in_len != 65 || in[13] != 19;
		extend(in + 33);
		out_len = sizeof(done);
		memcpy(out, done, sizeof(done));
	}
}

static u32 status(void)
{
	u32 sts = 1 << 7 | 16 << 8;	/* valid; a burst of 16 */

	fake_tpm.looks++;
	if (!gone)
		return sts | 1 << 6 | (in_len && in_len < 10 ? 1 << 3 : 0) |
		       (in_len >= 10 && in_len < (u32)(in[4] << 8 | in[5]) ? 1 << 3 : 0);
	if (fake_tpm.hangs || looks++ < fake_tpm.slow)
		return sts & ~(1u << 7);
	return sts | (out_at < out_len ? 1 << 4 : 0);
}

u8 tpm_load8(const struct tpm *t, u32 offset)
{
	if (offset == 0x24)
		return out_at < out_len ? out[out_at++] : 0xff;
	return offset ? 0xff : (u8)(1 << 7 | (active && !fake_tpm.held ? 1 << 5 : 0));
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
