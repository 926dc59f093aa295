// SPDX-License-Identifier: GPL-2.0
/*
 * What a dynamic launch leaves behind, as a hostile host may hand it out.  The first byte chooses
 * the table; what is found lies within the input, and no verdict contradicts its registers.
 */
#include <stdlib.h>
#include <string.h>
#include "userspace/txt/txt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void registers(const uint8_t *bytes, size_t len)
{
	uint8_t packed[TXT_PACKED];
	struct txt_regs r, again;
	enum txt_verdict verdict;
	char words[160];

	if (!txt_regs_read(&r, bytes, len))
		return;
	txt_regs_pack(&r, packed);
	txt_regs_unpack(&again, packed);
	require(!memcmp(&r, &again, sizeof(r)));
	txt_error_words((uint32_t)r.reg[TXT_ERRORCODE], words);
	require(*words);
	verdict = txt_verdict(&r);
	require(*txt_verdict_word(verdict) && *txt_verdict_reason(verdict));
	if (verdict == TXT_VERDICT_MEASURED)
		require((r.reg[TXT_STS] & 3) == 1 && !(r.reg[TXT_ESTS] & 1) &&
			r.reg[TXT_HEAP_BASE] && r.reg[TXT_HEAP_SIZE] &&
			(r.reg[TXT_DIDVID] & 0xffff) == 0x8086);
}

static void facts(const struct txt *t, const uint8_t *bytes, size_t len, enum txt_fault fault)
{
	const struct txt_fact *f;
	unsigned int i;

	require(t->facts <= TXT_FACTS && t->at <= len);
	require(!fault || *txt_fault_words(fault));
	for (i = 0; i < t->facts; i++) {
		f = &t->fact[i];
		require(f->name && (i || f->kind == TXT_TABLE));
		if (f->kind == TXT_BYTES && f->len)
			require(f->bytes >= bytes && f->len <= len &&
				f->bytes <= bytes + len - f->len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static enum txt_fault (* const tables[])(struct txt *, const uint8_t *, size_t) = {
		txt_heap, txt_acm, txt_slrt, txt_tboot
	};
	static struct txt t;
	uint8_t *bytes;
	enum txt_fault fault;

	if (!size)
		return 0;
	bytes = malloc(size > 1 ? size - 1 : 1);	/* of its very size, for ASan */
	memcpy(bytes, data + 1, size - 1);
	t.facts = 0;
	if (*data % 5 < 4) {
		fault = tables[*data % 5](&t, bytes, size - 1);
		facts(&t, bytes, size - 1, fault);
	} else {
		registers(bytes, size - 1);
	}
	free(bytes);
	return 0;
}
