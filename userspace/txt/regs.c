// SPDX-License-Identifier: GPL-2.0
/* TXT's public registers, and what they are worth. */
#include <stdio.h>
#include "userspace/txt/span.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define INTEL		0x8086

#define BIT_SENTER	(1u << 0)	/* of STS */
#define BIT_SEXIT	(1u << 1)
#define BIT_RESET	(1u << 0)	/* of ESTS */

#define DPR_LOCK	(1u << 0)
#define DPR_SIZE(dpr)	(((dpr) >> 4 & 0xff) << 20)	/* in MiB */
#define DPR_TOP(dpr)	((dpr) & 0xfff00000u)

#define ERROR_VALID	(1u << 31)
#define ERROR_SOFTWARE	(1u << 30)	/* else the processor's own */
#define ERROR_MLE	(1u << 15)	/* else an ACM's */

static const struct {
	const char *name;
	uint16_t offset;
	uint8_t size;
} registers[TXT_REGISTER_COUNT] = {
#define TXT_REGISTER_ROW(name, offset, size) { #name, offset, size },
	TXT_REGISTERS(TXT_REGISTER_ROW)
};

static const struct {
	enum txt_register reg;
	uint8_t bit;
	const char *name;
} bits[] = {
	{ TXT_STS, 0, "SENTER.DONE" },
	{ TXT_STS, 1, "SEXIT.DONE" },
	{ TXT_STS, 6, "MEM-CONFIG-LOCK" },
	{ TXT_STS, 7, "PRIVATE-OPEN" },
	{ TXT_STS, 15, "LOCALITY1.OPEN" },
	{ TXT_STS, 16, "LOCALITY2.OPEN" },
	{ TXT_ESTS, 0, "TXT-RESET" },
	{ TXT_E2STS, 1, "SECRETS" },
	{ TXT_DPR, 0, "DPR.LOCK" },
};

unsigned int txt_register_offset(enum txt_register reg)
{
	return registers[reg].offset & ~7u;
}

bool txt_regs_read(struct txt_regs *r, const uint8_t *page, size_t len)
{
	struct txt_span s = { page, len };
	unsigned int i;

	for (i = 0; i < TXT_REGISTER_COUNT; i++) {
		if (!txt_has(s, registers[i].offset, registers[i].size))
			return false;
		r->reg[i] = txt_number(s, registers[i].offset, registers[i].size);
	}
	return true;
}

void txt_regs_pack(const struct txt_regs *r, uint8_t packed[TXT_PACKED])
{
	unsigned int i;

	for (i = 0; i < TXT_PACKED; i++)
		packed[i] = (uint8_t)(r->reg[i / 8] >> 8 * (i % 8));
}

void txt_regs_unpack(struct txt_regs *r, const uint8_t packed[TXT_PACKED])
{
	struct txt_span s = { packed, TXT_PACKED };
	unsigned int i;

	for (i = 0; i < TXT_REGISTER_COUNT; i++)
		r->reg[i] = txt_number(s, 8 * i, 8);
}

void txt_regs_facts(struct txt *t, const struct txt_regs *r)
{
	unsigned int i;

	txt_add(t, "registers", TXT_TABLE, 0);
	for (i = 0; i < TXT_REGISTER_COUNT; i++)
		txt_add(t, registers[i].name, TXT_ADDRESS, r->reg[i]);
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		txt_add(t, bits[i].name, TXT_NUMBER, r->reg[bits[i].reg] >> bits[i].bit & 1);
	txt_add(t, "DPR.TOP", TXT_ADDRESS, DPR_TOP(r->reg[TXT_DPR]));
	txt_add(t, "DPR.SIZE", TXT_ADDRESS, DPR_SIZE(r->reg[TXT_DPR]));
}

bool txt_error_is_none(uint32_t code)
{
	/* SINIT leaves its own type, with or without progress, where it has found no error. */
	return !(code & ERROR_VALID) || code == 0xc0000001 || code == 0xc0000009;
}

/* SINIT and heap are set up by the firmware; a chipset without DPR says 0 there. */
static bool heap_is_sound(const struct txt_regs *r)
{
	uint64_t base = r->reg[TXT_HEAP_BASE], size = r->reg[TXT_HEAP_SIZE];
	uint64_t dpr = r->reg[TXT_DPR], end = base + size;

	if (!base || !size || base >> 32 || size >> 32)
		return false;
	return !dpr || (dpr & DPR_LOCK && end <= DPR_TOP(dpr) &&
			base >= DPR_TOP(dpr) - DPR_SIZE(dpr));
}

enum txt_verdict txt_verdict(const struct txt_regs *r)
{
	uint64_t sts = r->reg[TXT_STS];
	uint32_t error = (uint32_t)r->reg[TXT_ERRORCODE];

	if (sts == ~0ull || (r->reg[TXT_DIDVID] & 0xffff) != INTEL)
		return TXT_VERDICT_ABSENT;
	if (r->reg[TXT_ESTS] & BIT_RESET)
		return TXT_VERDICT_RESET;
	/* After a reset SEXIT.DONE may be 1, without that anything was launched. */
	if (!(sts & BIT_SENTER))
		return txt_error_is_none(error) ? TXT_VERDICT_NEVER : TXT_VERDICT_FAILED;
	if (sts & BIT_SEXIT)
		return TXT_VERDICT_LEFT;
	return txt_error_is_none(error) && heap_is_sound(r) ? TXT_VERDICT_MEASURED :
							      TXT_VERDICT_UNSOUND;
}

const char *txt_verdict_word(enum txt_verdict verdict)
{
#define TXT_VERDICT_WORD(name, word, reason) word,
	static const char * const words[] = { TXT_VERDICTS(TXT_VERDICT_WORD) };

	return words[verdict];
}

const char *txt_verdict_reason(enum txt_verdict verdict)
{
#define TXT_VERDICT_REASON(name, word, reason) reason,
	static const char * const reasons[] = { TXT_VERDICTS(TXT_VERDICT_REASON) };

	return reasons[verdict];
}

/* What a processor says where it shuts down into a TXT reset (SDM vol. 2, chapter 7). */
static const char * const processor[] = {
	[0] = "legacy shutdown",
	[5] = "the ACM's memory type is not supported",
	[6] = "the ACM's format is not supported",
	[7] = "the ACM's signature is not right",
	[8] = "the ACM is malformed",
	[9] = "unexpected snoop hit on the ACM's memory",
	[10] = "illegal event",
	[11] = "the MLE's JOIN data are malformed",
	[12] = "unrecoverable machine check",
	[13] = "VMX abort",
	[14] = "the ACM was corrupted in the cache",
	[15] = "illegal voltage or bus ratio",
};

static void software_words(uint32_t code, char text[160])
{
	static const char * const types[] = { "BIOS ACM", "SINIT" };
	uint32_t type = code & 15;

	if (code & ERROR_MLE)
		snprintf(text, 160, "the MLE's own: 0x%x", code & ~(ERROR_VALID | ERROR_SOFTWARE));
	else
		snprintf(text, 160, "%s: class 0x%x, error 0x%x, minor 0x%x (its list of errors comes with it)",
			 type < ARRAY_SIZE(types) ? types[type] : "an ACM of an unknown type",
			 code >> 4 & 0x3f, code >> 10 & 0x1f, code >> 16 & 0xfff);
}

void txt_error_words(uint32_t code, char text[160])
{
	uint32_t type = code & 0x3fffffff;

	if (!(code & ERROR_VALID))
		snprintf(text, 160, code ? "not valid" : "none");
	else if (code & ERROR_SOFTWARE)
		software_words(code, text);
	else
		snprintf(text, 160, "the processor: %s",
			 type < ARRAY_SIZE(processor) && processor[type] ? processor[type] :
			 "a reason that is not known");
}
