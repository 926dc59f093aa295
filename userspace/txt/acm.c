// SPDX-License-Identifier: GPL-2.0
/* The header of an authenticated code module, such as SINIT (315168, appendix A). */
#include <string.h>
#include "userspace/txt/span.h"

#define HEAD		128	/* up to the key */
#define CHIPSET		2
#define INTEL		0x8086

static const struct txt_field head_fields[] = {
	{ "module type", 0, 2, TXT_NUMBER },
	{ "module subtype", 2, 2, TXT_NUMBER },
	{ "header words", 4, 4, TXT_NUMBER },
	{ "header version", 8, 4, TXT_ADDRESS },
	{ "chipset", 12, 2, TXT_ADDRESS },
	{ "flags", 14, 2, TXT_ADDRESS },
	{ "vendor", 16, 4, TXT_ADDRESS },
	{ "date", 20, 4, TXT_ADDRESS },
	{ "words", 24, 4, TXT_NUMBER },
	{ "TXT SVN", 28, 2, TXT_NUMBER },
	{ "SE SVN", 30, 2, TXT_NUMBER },
	{ "code control", 32, 4, TXT_ADDRESS },
	{ "entry point", 52, 4, TXT_ADDRESS },
	{ "key words", 120, 4, TXT_NUMBER },
	{ "scratch words", 124, 4, TXT_NUMBER },
	{ }
};

static const struct txt_field table_fields[] = {
	{ "ACM type", 16, 1, TXT_NUMBER },
	{ "version", 17, 1, TXT_NUMBER },
	{ "length", 18, 2, TXT_NUMBER },
	{ "chipset list", 20, 4, TXT_NUMBER },
	{ "OS to SINIT data version", 24, 4, TXT_NUMBER },
	{ "least MLE header version", 28, 4, TXT_ADDRESS },
	{ "capabilities", 32, 4, TXT_ADDRESS },
	{ "ACM version", 36, 1, TXT_NUMBER },
	{ "processor list", 40, 4, TXT_NUMBER, 4 },
	{ "TPM list", 44, 4, TXT_NUMBER, 5 },
	{ }
};

static const struct txt_field chipset_fields[] = {
	{ "flags", 0, 4, TXT_ADDRESS },
	{ "vendor", 4, 2, TXT_ADDRESS },
	{ "device", 6, 2, TXT_ADDRESS },
	{ "revision", 8, 2, TXT_ADDRESS },
	{ "extended", 12, 4, TXT_ADDRESS },
	{ }
};

static const struct txt_field processor_fields[] = {
	{ "family, model, stepping", 0, 4, TXT_ADDRESS },
	{ "mask", 4, 4, TXT_ADDRESS },
	{ "platform", 8, 8, TXT_ADDRESS },
	{ "platform mask", 16, 8, TXT_ADDRESS },
	{ }
};

/* 7fc03aaa-46a7-18db-ac2e-698f8d417f5a */
static const uint8_t table_id[16] = {
	0xaa, 0x3a, 0xc0, 0x7f, 0xa7, 0x46, 0xdb, 0x18,
	0x2e, 0xac, 0x69, 0x8f, 0x8d, 0x41, 0x7f, 0x5a
};

/* A list: how many, then as many rows; its offset counts from the module's beginning. */
static enum txt_fault add_list(struct txt *t, struct txt_span s, const char *name, uint64_t at,
			       size_t size, const struct txt_field *fields)
{
	if (!txt_has(s, at, 4))
		return TXT_COUNT;
	return txt_add_rows(t, s, at + 4, txt_number(s, at, 4), size, name, fields);
}

static enum txt_fault add_info(struct txt *t, struct txt_span s, uint64_t at)
{
	struct txt_span table;
	enum txt_fault fault;
	uint32_t version;
	size_t end;

	if (!txt_has(s, at, 40))
		return TXT_SIZE;
	t->at = at;
	table = txt_sub(s, at, s.len);
	if (memcmp(table.bytes, table_id, sizeof(table_id)))
		return TXT_TYPE;
	version = (uint32_t)txt_number(table, 17, 1);
	txt_add(t, "information table", TXT_TABLE, 0);
	fault = txt_add_fields(t, table, table_fields, version, &end);
	if (!fault) {
		t->at = at + 20;
		fault = add_list(t, s, "chipset", txt_number(table, 20, 4), 16, chipset_fields);
	}
	if (!fault && version >= 4) {
		t->at = at + 40;
		fault = add_list(t, s, "processor", txt_number(table, 40, 4), 24, processor_fields);
	}
	return fault;
}

enum txt_fault txt_acm(struct txt *t, const uint8_t *bytes, size_t len)
{
	struct txt_span s = { bytes, len };
	uint64_t words, size;
	size_t end;

	t->at = 0;
	if (len < HEAD)
		return TXT_SHORT;
	if (txt_number(s, 0, 2) != CHIPSET || txt_number(s, 16, 4) != INTEL)
		return TXT_TYPE;
	txt_add(t, "ACM", TXT_TABLE, 0);
	txt_add_fields(t, s, head_fields, 0, &end);
	size = 4 * txt_number(s, 24, 4);
	words = txt_number(s, 4, 4) + txt_number(s, 124, 4);
	if (size > len || size < HEAD)
		return TXT_SIZE;
	return add_info(t, txt_sub(s, 0, size), 4 * words);
}
