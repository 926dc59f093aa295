// SPDX-License-Identifier: GPL-2.0
/*
 * What a launcher hands over to the kernel: Secure Launch's resource table (SLRT), and tboot's
 * shared page.  Of the SLRT there are two layouts of one revision: tags and sizes of two bytes
 * each, as GRUB and Xen had them first, and of four, as Linux has them.
 */
#include <string.h>
#include "userspace/txt/span.h"

#define SLRT_MAGIC	0x4452544d
#define SLRT_HEAD	16
#define POLICY_ENTRY	56

enum { TAG_LOG = 2, TAG_POLICY, TAGS = 9, TAG_END = 0xffff };

static const struct txt_field slrt_fields[] = {
	{ "revision", 4, 2, TXT_NUMBER },
	{ "architecture", 6, 2, TXT_NUMBER },
	{ "size", 8, 4, TXT_NUMBER },
	{ "room", 12, 4, TXT_NUMBER },
	{ }
};

/* What differs between the two. */
struct layout {
	const char *name;
	uint8_t width;			/* of a tag, and of a size */
	uint8_t revision, count, entries;	/* where a policy has them */
	const struct txt_field *log, *entry;
};

static const struct txt_field narrow_log[] = {
	{ "log format", 4, 2, TXT_NUMBER },
	{ "event log", 8, 8, TXT_ADDRESS },
	{ "allocated", 16, 4, TXT_NUMBER },
	{ }
};

static const struct txt_field wide_log[] = {
	{ "log format", 8, 2, TXT_NUMBER },
	{ "allocated", 12, 4, TXT_NUMBER },
	{ "event log", 16, 8, TXT_ADDRESS },
	{ }
};

static const struct txt_field narrow_entry[] = {
	{ "PCR", 0, 2, TXT_NUMBER },
	{ "entity type", 2, 2, TXT_NUMBER },
	{ "flags", 4, 2, TXT_ADDRESS },
	{ "entity", 8, 8, TXT_ADDRESS },
	{ "size", 16, 8, TXT_NUMBER },
	{ }
};

static const struct txt_field wide_entry[] = {
	{ "PCR", 0, 2, TXT_NUMBER },
	{ "entity type", 2, 2, TXT_NUMBER },
	{ "flags", 4, 2, TXT_ADDRESS },
	{ "size", 8, 8, TXT_NUMBER },
	{ "entity", 16, 8, TXT_ADDRESS },
	{ }
};

static const struct layout narrow = { "narrow", 2, 4, 6, 8, narrow_log, narrow_entry };
static const struct layout wide = { "wide", 4, 12, 14, 16, wide_log, wide_entry };

static const char * const tag_names[TAGS] = {
	[1] = "launch", [TAG_LOG] = "log", [TAG_POLICY] = "policy", [4] = "Intel TXT",
	[5] = "AMD SKINIT", [6] = "ARM DRTM", [7] = "UEFI information", [8] = "UEFI configuration",
};

static enum txt_fault add_policy(struct txt *t, const struct layout *l, struct txt_span s)
{
	uint64_t count = txt_number(s, l->count, 2);
	size_t at = l->entries, end;

	if (!txt_has(s, 0, at) || count > (s.len - at) / POLICY_ENTRY)
		return TXT_COUNT;
	for (; count; count--, at += POLICY_ENTRY) {
		txt_add(t, "measured", TXT_TABLE, 0);
		txt_add_fields(t, txt_sub(s, at, at + 24), l->entry, 0, &end);
		txt_add_bytes(t, "event", TXT_TEXT, txt_sub(s, at + 24, at + POLICY_ENTRY));
		if (t->facts == TXT_FACTS)
			return TXT_MANY;
	}
	return TXT_OK;
}

static enum txt_fault add_entry(struct txt *t, const struct layout *l, uint64_t tag,
				struct txt_span s)
{
	size_t end;

	txt_add(t, tag < TAGS && tag_names[tag] ? tag_names[tag] : "entry", TXT_TABLE, 0);
	txt_add(t, "tag", TXT_NUMBER, tag);
	txt_add(t, "size", TXT_NUMBER, s.len);
	if (tag == TAG_LOG)
		return txt_add_fields(t, s, l->log, 0, &end);
	return tag == TAG_POLICY ? add_policy(t, l, s) : TXT_OK;
}

enum txt_fault txt_slrt(struct txt *t, const uint8_t *bytes, size_t len)
{
	struct txt_span s = { bytes, len };
	const struct layout *l;
	enum txt_fault fault;
	uint64_t tag, size;
	size_t end;

	t->at = 0;
	if (len < SLRT_HEAD + 4)
		return TXT_SHORT;
	if (txt_number(s, 0, 4) != SLRT_MAGIC)
		return TXT_TYPE;
	if (!txt_number(s, 4, 2))
		return TXT_VERSION;
	if (txt_number(s, 8, 4) > len || txt_number(s, 8, 4) < SLRT_HEAD)
		return TXT_SIZE;
	/* Two bytes behind a first tag are its size, which is not 0, or the tag's upper half. */
	l = txt_number(s, SLRT_HEAD + 2, 2) ? &narrow : &wide;
	txt_add(t, "SLRT", TXT_TABLE, 0);
	txt_add_fields(t, s, slrt_fields, 0, &end);
	txt_add_bytes(t, "layout", TXT_TEXT, (struct txt_span){ (const uint8_t *)l->name,
								strlen(l->name) });
	s.len = txt_number(s, 8, 4);
	for (t->at = SLRT_HEAD; txt_has(s, t->at, 2 * l->width); t->at += size) {
		tag = txt_number(s, t->at, l->width);
		size = txt_number(s, t->at + l->width, l->width);
		if (tag == TAG_END)
			return TXT_OK;
		if (size < 2 * l->width || !txt_has(s, t->at, size))
			return TXT_SIZE;
		fault = add_entry(t, l, tag, txt_sub(s, t->at, t->at + size));
		if (fault)
			return fault;
	}
	/* The narrow layout need not have an end. */
	return t->at == s.len && l == &narrow ? TXT_OK : TXT_SIZE;
}

/* --- tboot --- */

/* 663c8dff-e8b3-4b82-bfaa-19ea4d057a08 */
static const uint8_t page_id[16] = {
	0xff, 0x8d, 0x3c, 0x66, 0xb3, 0xe8, 0x82, 0x4b,
	0xbf, 0xaa, 0x19, 0xea, 0x4d, 0x05, 0x7a, 0x08
};

/* c0192526-6b30-4db4-844c-a3e953b88174 */
static const uint8_t log_id[16] = {
	0x26, 0x25, 0x19, 0xc0, 0x30, 0x6b, 0xb4, 0x4d,
	0x4c, 0x84, 0xa3, 0xe9, 0x53, 0xb8, 0x81, 0x74
};

static const struct txt_field log_fields[] = {
	{ "room", 16, 2, TXT_NUMBER },
	{ "written", 18, 2, TXT_NUMBER },
	{ }
};

/* What it has of keys is not shown. */
static const struct txt_field page_fields[] = {
	{ "version", 16, 4, TXT_NUMBER },
	{ "log", 20, 4, TXT_ADDRESS },
	{ "shutdown entry", 24, 4, TXT_ADDRESS },
	{ "shutdown type", 28, 4, TXT_NUMBER },
	{ "base", 104, 4, TXT_ADDRESS },
	{ "size", 108, 4, TXT_NUMBER },
	{ "MAC regions", 112, 1, TXT_NUMBER },
	{ "processors waiting", 564, 4, TXT_NUMBER, 5 },
	{ "flags", 568, 4, TXT_ADDRESS, 6 },
	{ }
};

enum txt_fault txt_tboot(struct txt *t, const uint8_t *bytes, size_t len)
{
	struct txt_span s = { bytes, len };
	uint32_t version = (uint32_t)txt_number(s, 16, 4);
	size_t end;

	t->at = 0;
	if (len < 20)
		return TXT_SHORT;
	if (!memcmp(bytes, log_id, sizeof(log_id))) {
		txt_add(t, "tboot's log", TXT_TABLE, 0);
		return txt_add_fields(t, s, log_fields, 0, &end);
	}
	if (memcmp(bytes, page_id, sizeof(page_id)))
		return TXT_TYPE;
	if (version < 3)
		return TXT_VERSION;
	txt_add(t, "tboot's shared page", TXT_TABLE, 0);
	return txt_add_fields(t, s, page_fields, version, &end);
}
