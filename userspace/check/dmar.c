// SPDX-License-Identifier: GPL-2.0
/* The DMAR table of a machine: what it says, and whether the layer would take it. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include "iommu/dmar.h"
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"

/* In the order of enum dmar_fault, which begins with DMAR_OK. */
#define FAULT_WORDS(name, found, cure)	{ found, cure },
static const struct {
	const char *found, *cure;
} faults[DMAR_FAULT_COUNT] = { { }, DMAR_FAULTS(FAULT_WORDS) };

static const char * const type_names[DMAR_TYPES] = {
	[DMAR_DRHD] = "DRHD", [DMAR_RMRR] = "RMRR", [DMAR_ATSR] = "ATSR", [DMAR_RHSA] = "RHSA",
	[DMAR_ANDD] = "ANDD", [DMAR_SATC] = "SATC", [DMAR_SIDP] = "SIDP",
};

static const char * const scope_names[DMAR_SCOPE_TYPES] = {
	[DMAR_SCOPE_ENDPOINT] = "PCI endpoint", [DMAR_SCOPE_BRIDGE] = "PCI bridge",
	[DMAR_SCOPE_IOAPIC] = "IOAPIC", [DMAR_SCOPE_HPET] = "HPET",
	[DMAR_SCOPE_NAMESPACE] = "ACPI device",
};

static const struct {
	uint8_t bit;
	const char *name;
} table_flags[] = {
	{ DMAR_INTR_REMAP, "interrupt-remapping" },
	{ DMAR_X2APIC_OPT_OUT, "x2apic-opt-out" },
	{ DMAR_DMA_CTRL_OPT_IN, "dma-control-opt-in" },
};

/* --- a table as JSON: members are in the order in which the text has them --- */

static void add_int(json_object *o, const char *name, int64_t value)
{
	json_object_object_add(o, name, json_object_new_int64(value));
}

static void add_text(json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

/* Addresses of 64 bits are more than many JSON readers keep as numbers. */
static void add_address(json_object *o, const char *name, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)address);
	add_text(o, name, text);
}

static json_object *scope_json(const u8 *table, const struct dmar_scope *s, u32 at)
{
	json_object *o = json_object_new_object(), *path = json_object_new_array();
	bool known = s->type && s->type < DMAR_SCOPE_TYPES;
	char step[16];
	u32 i;

	add_text(o, "kind", known ? scope_names[s->type] : "unknown");
	add_int(o, "type", s->type);
	add_int(o, "length", s->end - at);
	add_int(o, "flags", s->flags);
	add_int(o, "id", s->id);
	add_int(o, "bus", s->bus);
	for (i = s->path; i < s->end; i += 2) {
		snprintf(step, sizeof(step), "%02x.%x", table[i], table[i + 1]);
		json_object_array_add(path, json_object_new_string(step));
	}
	json_object_object_add(o, "path", path);
	return o;
}

/* Up to the first one that is malformed. */
static void add_scopes(json_object *o, const u8 *table, const struct dmar_entry *e)
{
	json_object *scopes;
	struct dmar_scope s;
	u32 at;

	if (e->scopes == e->end)
		return;
	scopes = json_object_new_array();
	for (at = e->scopes; at < e->end && !dmar_scope(table, e->end, at, &s); at = s.end)
		json_object_array_add(scopes, scope_json(table, &s, at));
	json_object_object_add(o, "scopes", scopes);
}

/* Printable ones only: what follows is the fault's to tell. */
static void add_device(json_object *o, const u8 *table, const struct dmar_entry *e)
{
	u32 at = e->name;

	while (at < e->end && table[at] > ' ' && table[at] < 0x7f)
		at++;
	add_int(o, "number", e->number);
	json_object_object_add(o, "device",
			       json_object_new_string_len((const char *)table + e->name,
							  at - e->name));
}

static void add_fields(json_object *o, const u8 *table, const struct dmar_entry *e)
{
	switch (e->type) {
	case DMAR_DRHD:
		add_int(o, "segment", e->segment);
		add_int(o, "flags", e->flags);
		add_int(o, "order", e->order);
		add_address(o, "base", e->base);
		add_address(o, "last", e->last);
		break;
	case DMAR_RMRR:
		add_int(o, "segment", e->segment);
		add_address(o, "base", e->base);
		add_address(o, "last", e->last);
		break;
	case DMAR_ATSR:
	case DMAR_SATC:
		add_int(o, "flags", e->flags);
		add_int(o, "segment", e->segment);
		break;
	case DMAR_SIDP:
		add_int(o, "segment", e->segment);
		break;
	case DMAR_RHSA:
		add_address(o, "base", e->base);
		add_int(o, "domain", e->domain);
		break;
	case DMAR_ANDD:
		add_device(o, table, e);
		break;
	}
	add_scopes(o, table, e);
}

static json_object *entry_json(const u8 *table, const struct dmar_entry *e, enum dmar_fault fault)
{
	json_object *o = json_object_new_object();

	add_int(o, "offset", e->offset);
	add_text(o, "name", e->type < DMAR_TYPES ? type_names[e->type] : "unknown");
	add_int(o, "type", e->type);
	add_int(o, "length", e->end - e->offset);
	if (!fault)
		add_fields(o, table, e);
	return o;
}

/* All whose beginning is known, also in a table that is refused. */
static json_object *entries_json(const u8 *table, u32 length)
{
	json_object *all = json_object_new_array();
	enum dmar_fault fault;
	struct dmar_entry e;
	u32 at;

	for (at = DMAR_HEADER; at < length; at = e.end) {
		fault = dmar_entry(table, length, at, &e);
		if (fault == DMAR_ENTRY_LENGTH)
			break;
		json_object_array_add(all, entry_json(table, &e, fault));
	}
	return all;
}

static json_object *verdict_json(const struct dmar *dmar, enum dmar_fault fault)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "accepted", json_object_new_boolean(!fault));
	if (fault) {
		add_int(o, "offset", dmar->where);
		add_text(o, "found", faults[fault].found);
		add_text(o, "cure", faults[fault].cure);
	} else {
		add_int(o, "units", dmar->units);
		add_int(o, "regions", dmar->regions);
	}
	return o;
}

static json_object *table_json(const u8 *table, size_t len, const struct dmar *dmar,
			       enum dmar_fault fault)
{
	json_object *o = json_object_new_object(), *flags = json_object_new_array();
	u32 length = dmar->length;
	size_t i;

	/* Else there is no header to read. */
	if (fault != DMAR_SHORT && fault != DMAR_SIGNATURE) {
		add_int(o, "length", length);
		add_int(o, "revision", table[8]);
		add_int(o, "width", dmar->width);
		for (i = 0; i < ARRAY_SIZE(table_flags); i++)
			if (dmar->flags & table_flags[i].bit)
				json_object_array_add(flags,
						      json_object_new_string(table_flags[i].name));
		json_object_object_add(o, "flags", flags);
		json_object_object_add(o, "structures",
				       entries_json(table, length < len ? length : len));
	} else {
		json_object_put(flags);
	}
	json_object_object_add(o, "verdict", verdict_json(dmar, fault));
	return o;
}

/* --- the same as text --- */

static void print_array(const char *name, json_object *array)
{
	size_t i, n = json_object_array_length(array);

	if (!n || json_object_is_type(json_object_array_get_idx(array, 0), json_type_object))
		return;
	printf("  %s", name);
	for (i = 0; i < n; i++)
		printf("%c%s", i ? ',' : ' ',
		       json_object_get_string(json_object_array_get_idx(array, i)));
}

static void print_line(const char *indent, json_object *o)
{
	fputs(indent, stdout);
	json_object_object_foreach(o, key, value) {
		if (json_object_is_type(value, json_type_array))
			print_array(key, value);
		else if (!strcmp(key, "name") || !strcmp(key, "kind"))
			printf("  %s", json_object_get_string(value));
		else if (!json_object_is_type(value, json_type_object))
			printf("  %s %s", key, json_object_get_string(value));
	}
	putchar('\n');
}

static void print_lines(const char *indent, json_object *o, const char *array)
{
	json_object *all = json_object_object_get(o, array);
	size_t i;

	for (i = 0; all && i < json_object_array_length(all); i++) {
		print_line(indent, json_object_array_get_idx(all, i));
		print_lines("      ", json_object_array_get_idx(all, i), "scopes");
	}
}

static void print_text(json_object *table, const struct dmar *dmar, enum dmar_fault fault)
{
	if (json_object_object_get(table, "structures"))
		print_line("DMAR", table);
	print_lines("  ", table, "structures");
	if (fault)
		printf("refused at byte %u: %s\n  cure: %s\n", dmar->where, faults[fault].found,
		       faults[fault].cure);
	else
		printf("accepted: units %u, reserved regions %u\n", dmar->units, dmar->regions);
}

int check_dmar_file(const char *path, bool json)
{
	enum dmar_fault fault;
	struct dmar dmar;
	json_object *o;
	size_t len;
	u8 *table = (u8 *)sysfile_given(&len, path);

	if (!table) {
		cli_error("%s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	fault = dmar_parse(table, len, &dmar);
	o = table_json(table, len, &dmar, fault);
	if (json)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	else
		print_text(o, &dmar, fault);
	json_object_put(o);
	free(table);
	return fault ? CLI_NOT_READY : CLI_OK;
}

enum check_result check_dmar(struct check_report *r, const uint8_t *table, size_t len,
			     unsigned int used)
{
	struct dmar dmar;
	enum dmar_fault fault = dmar_parse(table, len, &dmar);

	if (fault)
		return check_fail(r, faults[fault].cure, "DMAR, byte %u: %s", dmar.where,
				  faults[fault].found);
	if (used)
		return check_pass(r, "VT-d: %u units, %u used by Linux", dmar.units, used);
	return check_pass(r, "VT-d: %u units, not used by Linux", dmar.units);
}
