// SPDX-License-Identifier: GPL-2.0
/*
 * The heap (315168, appendix C): four tables, each behind its length of eight bytes, which
 * counts itself.  The firmware writes the first one at each boot; the others are of a launch,
 * and of the last one where none was made since.
 */
#include "userspace/txt/span.h"

#define LENGTH		8
#define ELEMENT_HEAD	8	/* type and size */
#define MDR		24
#define LOG_DESCRIPTOR	24

enum {
	ELEMENT_END, ELEMENT_SPEC, ELEMENT_ACM, ELEMENT_CUSTOM = 4, ELEMENT_LOG,
	ELEMENT_LOG2 = 7, ELEMENT_LOG2_1
};

static const struct txt_field bios_fields[] = {
	{ "version", 0, 4, TXT_NUMBER },
	{ "SINIT size", 4, 4, TXT_ADDRESS },
	{ "policy data base", 8, 8, TXT_ADDRESS },
	{ "policy data size", 16, 8, TXT_ADDRESS },
	{ "logical processors", 24, 4, TXT_NUMBER },
	{ "SINIT flags", 28, 4, TXT_ADDRESS, 3 },
	{ "MLE flags", 32, 4, TXT_ADDRESS, 3 },
	{ }
};

static const struct txt_field os_sinit_fields[] = {
	{ "version", 0, 4, TXT_NUMBER },
	{ "flags", 4, 4, TXT_ADDRESS },
	{ "MLE page table", 8, 8, TXT_ADDRESS },
	{ "MLE size", 16, 8, TXT_ADDRESS },
	{ "MLE header", 24, 8, TXT_ADDRESS },
	{ "PMR low base", 32, 8, TXT_ADDRESS },
	{ "PMR low size", 40, 8, TXT_ADDRESS },
	{ "PMR high base", 48, 8, TXT_ADDRESS },
	{ "PMR high size", 56, 8, TXT_ADDRESS },
	{ "policy object base", 64, 8, TXT_ADDRESS },
	{ "policy object size", 72, 8, TXT_ADDRESS },
	{ "capabilities", 80, 4, TXT_ADDRESS },
	{ "RSDP", 84, 8, TXT_ADDRESS, 5 },
	{ }
};

static const struct txt_field sinit_mle_fields[] = {
	{ "version", 0, 4, TXT_NUMBER },
	{ "BIOS ACM id", 4, 20, TXT_BYTES },
	{ "SENTER flags", 24, 4, TXT_ADDRESS },
	{ "MSEG valid", 28, 8, TXT_ADDRESS },
	{ "SINIT hash", 36, 20, TXT_BYTES },
	{ "MLE hash", 56, 20, TXT_BYTES },
	{ "STM hash", 76, 20, TXT_BYTES },
	{ "policy hash", 96, 20, TXT_BYTES },
	{ "policy control", 116, 4, TXT_ADDRESS },
	{ "RLP wakeup", 120, 4, TXT_ADDRESS },
	{ "MDRs", 128, 4, TXT_NUMBER },
	{ "MDR offset", 132, 4, TXT_NUMBER },
	{ "DMAR size", 136, 4, TXT_NUMBER },
	{ "DMAR offset", 140, 4, TXT_NUMBER },
	{ "processor's S-CRTM", 144, 4, TXT_ADDRESS, 8 },
	{ }
};

/* tboot's and Secure Launch's begin alike, and no further: each is its launcher's own. */
static const struct txt_field os_mle_fields[] = {
	{ "version", 0, 4, TXT_NUMBER },
	{ }
};

static const struct txt_field secure_launch_fields[] = {
	{ "SLRT", 8, 8, TXT_ADDRESS },
	{ "TXT info", 16, 8, TXT_ADDRESS },
	{ "AP wake block", 24, 4, TXT_ADDRESS },
	{ "AP wake block size", 28, 4, TXT_ADDRESS },
	{ }
};

static const struct txt_field spec_fields[] = {
	{ "specification, major", 8, 2, TXT_NUMBER },
	{ "specification, minor", 10, 2, TXT_NUMBER },
	{ "specification, revision", 12, 2, TXT_NUMBER },
	{ }
};

static const struct txt_field log_fields[] = {
	{ "event log", 8, 8, TXT_ADDRESS },
	{ }
};

static const struct txt_field log2_1_fields[] = {
	{ "event log", 8, 8, TXT_ADDRESS },
	{ "allocated", 16, 4, TXT_NUMBER },
	{ "first event", 20, 4, TXT_NUMBER },
	{ "next event", 24, 4, TXT_NUMBER },
	{ }
};

static const struct txt_field descriptor_fields[] = {
	{ "algorithm", 0, 2, TXT_ADDRESS },
	{ "event log", 4, 8, TXT_ADDRESS },
	{ "allocated", 12, 4, TXT_NUMBER },
	{ "first event", 16, 4, TXT_NUMBER },
	{ "next event", 20, 4, TXT_NUMBER },
	{ }
};

static const struct txt_field custom_fields[] = {
	{ "custom", 8, 16, TXT_BYTES },
	{ }
};

static const struct txt_field mdr_fields[] = {
	{ "MDR base", 0, 8, TXT_ADDRESS },
	{ "MDR length", 8, 8, TXT_ADDRESS },
	{ "MDR type", 16, 1, TXT_NUMBER },
	{ }
};

static const struct {
	const char *name;
	const struct txt_field *fields;
	uint8_t oldest, newest;	/* of the versions that are known */
	uint8_t elements;	/* the first version that has them, or 0 */
	uint8_t reserved;	/* bytes between the last field and them */
} tables[] = {
	{ "BIOS data", bios_fields, 2, 6, 4 },
	{ "OS to MLE data", os_mle_fields, 0, 3 },
	{ "OS to SINIT data", os_sinit_fields, 4, 7, 6 },
	{ "SINIT to MLE data", sinit_mle_fields, 6, 9, 9 },
};

enum { OS_MLE = 1, SINIT_MLE = 3, TABLES };

static enum txt_fault add_acms(struct txt *t, struct txt_span s)
{
	static const struct txt_field fields[] = { { "ACM", 0, 8, TXT_ADDRESS }, { } };

	return txt_add_rows(t, s, ELEMENT_HEAD + 4, txt_number(s, ELEMENT_HEAD, 4), 8, NULL,
			    fields);
}

static enum txt_fault add_element(struct txt *t, uint32_t type, struct txt_span s)
{
	static const struct txt_field * const fields[] = {
		[ELEMENT_SPEC] = spec_fields, [ELEMENT_CUSTOM] = custom_fields,
		[ELEMENT_LOG] = log_fields, [ELEMENT_LOG2_1] = log2_1_fields,
	};
	size_t end;

	txt_add(t, "element", TXT_NUMBER, type);
	if (type == ELEMENT_ACM)
		return add_acms(t, s);
	if (type == ELEMENT_LOG2)
		return txt_add_rows(t, s, ELEMENT_HEAD + 4, txt_number(s, ELEMENT_HEAD, 4),
				    LOG_DESCRIPTOR, NULL, descriptor_fields);
	if (type <= ELEMENT_LOG2_1 && fields[type])
		return txt_add_fields(t, s, fields[type], 0, &end) ? TXT_ELEMENT : TXT_OK;
	txt_add_bytes(t, "bytes", TXT_BYTES, txt_sub(s, ELEMENT_HEAD, s.len));
	return TXT_OK;
}

static enum txt_fault add_elements(struct txt *t, struct txt_span s, size_t at, size_t *end)
{
	enum txt_fault fault;
	uint32_t type;
	size_t size;

	for (*end = at; txt_has(s, *end, ELEMENT_HEAD); *end += size) {
		type = (uint32_t)txt_number(s, *end, 4);
		size = txt_number(s, *end + 4, 4);
		if (size < ELEMENT_HEAD || !txt_has(s, *end, size))
			return TXT_ELEMENT;
		if (type == ELEMENT_END)
			return TXT_OK;
		fault = add_element(t, type, txt_sub(s, *end, *end + size));
		if (fault)
			return fault;
		if (t->facts == TXT_FACTS)
			return TXT_MANY;
	}
	return TXT_ELEMENT;
}

/* Offsets in this table count from its length on: one of less than that is beyond its end. */
static enum txt_fault add_mdrs(struct txt *t, struct txt_span s)
{
	uint64_t count = txt_number(s, 128, 4), at = txt_number(s, 132, 4) - LENGTH;

	return count ? txt_add_rows(t, s, at, count, MDR, NULL, mdr_fields) : TXT_OK;
}

static enum txt_fault add_table(struct txt *t, unsigned int i, struct txt_span s, size_t *where)
{
	uint32_t version = (uint32_t)txt_number(s, 0, 4);
	enum txt_fault fault;
	size_t end;

	*where = 0;
	txt_add(t, tables[i].name, TXT_TABLE, 0);
	txt_add(t, "length", TXT_NUMBER, s.len);
	if (s.len < 4)
		return TXT_SIZE;
	if (version < tables[i].oldest)
		return TXT_VERSION;
	if (version > tables[i].newest)
		txt_add(t, "newest version that is known", TXT_NUMBER, tables[i].newest);
	fault = txt_add_fields(t, s, tables[i].fields, version, &end);
	if (!fault && i == OS_MLE && version == 1)
		txt_add_fields(t, s, secure_launch_fields, 0, &end);
	if (!fault && i == SINIT_MLE)
		fault = add_mdrs(t, s);
	*where = end;
	if (fault || !tables[i].elements || version < tables[i].elements)
		return fault;
	return add_elements(t, s, end, where);
}

enum txt_fault txt_heap(struct txt *t, const uint8_t *bytes, size_t len)
{
	struct txt_span heap = { bytes, len };
	enum txt_fault fault;
	uint64_t length;
	size_t at = 0, where;
	unsigned int i;

	for (i = 0; i < TABLES + 1; i++, at += length) {
		t->at = at;
		if (i == TABLES)
			return t->facts == TXT_FACTS ? TXT_MANY : TXT_OK;
		/* Where nothing was launched yet there is the firmware's table alone. */
		if (i && (at == len || (txt_has(heap, at, LENGTH) &&
					!txt_number(heap, at, LENGTH))))
			return TXT_OK;
		if (!txt_has(heap, at, LENGTH))
			return i ? TXT_SIZE : TXT_SHORT;
		length = txt_number(heap, at, LENGTH);
		if (length < LENGTH || length > len - at)
			return TXT_SIZE;
		fault = add_table(t, i, txt_sub(heap, at + LENGTH, at + length), &where);
		t->at = at + LENGTH + where;
		if (fault)
			return fault;
	}
	return TXT_OK;
}
