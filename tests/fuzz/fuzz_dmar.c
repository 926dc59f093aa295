// SPDX-License-Identifier: GPL-2.0
/*
 * A DMAR table as a hostile host may hand it over.  Length, signature and sum are put
 * right, half of the time, so that what lies behind them is reached.
 */
#include "../unit/dmar_promises.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void put_right(u8 *table, u32 size)
{
	u8 sum = 0;
	u32 i;

	memcpy(table, "DMAR", 4);
	memcpy(table + 4, &size, 4);
	table[36] = 31 + table[36] % 21;
	for (i = 0; i < size; i++)
		sum += table[i];
	table[9] -= sum;
}

/* As "underpin check --dmar" does: also a table that is refused is walked. */
static void walk(const u8 *table, u32 length)
{
	struct dmar_entry e;
	struct dmar_scope s;
	u32 at, next;

	for (at = DMAR_HEADER; at < length; at = e.end) {
		if (dmar_entry(table, length, at, &e) == DMAR_ENTRY_LENGTH)
			return;
		dmar_require(e.end >= at + 4 && e.end <= length && e.scopes <= e.end,
			     "a structure moves on, within the table");
		for (next = e.scopes; next < e.end; next = s.end) {
			if (dmar_scope(table, e.end, next, &s))
				break;
			dmar_require(s.end >= next + 8 && s.end <= e.end && s.path == next + 6,
				     "a scope moves on, within its structure");
		}
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct dmar dmar;
	u32 length;
	u8 *table;

	if (!size)
		return 0;
	length = size - 1;
	table = malloc(length ? length : 1);	/* of its very size, for ASan */
	memcpy(table, data + 1, length);
	if (data[0] & 1 && length >= DMAR_HEADER)
		put_right(table, length);
	if (!dmar_parse(table, length, &dmar))
		dmar_promises(table, length, &dmar);
	else if (length >= DMAR_HEADER)
		dmar_require(dmar.where <= length, "a fault is within the table");
	walk(table, length);
	free(table);
	return 0;
}
