// SPDX-License-Identifier: GPL-2.0
/*
 * underpin attest txt: what a dynamic launch left behind, of this machine or of files; and is a
 * measured environment up?
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/attest.h"
#include "userspace/attest/physical.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/sysfile.h"
#include "userspace/txt/txt.h"

#define TBOOT_LOG	0x60000u	/* where tboot has it, launched or not */
#define TBOOT_ADDRESS	0x58u		/* of the shared page, in struct boot_params */
#define SLRT_ROOM	65536u

static enum txt_fault parse_registers(struct txt *t, const uint8_t *bytes, size_t len)
{
	struct txt_regs r;

	if (!txt_regs_read(&r, bytes, len))
		return TXT_SHORT;
	txt_regs_facts(t, &r);
	return TXT_OK;
}

enum { PART_REGISTERS, PART_HEAP, PART_ACM, PART_SLRT, PART_TBOOT, PARTS };

/* In the order of options. */
static const struct {
	const char *name;
	enum txt_fault (*parse)(struct txt *t, const uint8_t *bytes, size_t len);
} kinds[PARTS] = {
	{ "registers", parse_registers },
	{ "heap", txt_heap },
	{ "acm", txt_acm },
	{ "slrt", txt_slrt },
	{ "tboot", txt_tboot },
};

struct part {
	const char *path;
	uint8_t *bytes;
	size_t len;
	enum txt_fault fault;
	struct txt found;
};

static struct part parts[PARTS];

/* --- where bytes come from --- */

static int read_files(void)
{
	unsigned int i;

	for (i = 0; i < PARTS; i++) {
		if (!parts[i].path)
			continue;
		parts[i].bytes = attest_read(parts[i].path, &parts[i].len);
		if (!parts[i].bytes)
			return CLI_FAILED;
	}
	return CLI_OK;
}

static bool take(const char *memory, unsigned int part, uint64_t address, size_t len)
{
	struct part *p = &parts[part];

	p->bytes = physical_read(memory, address, len);
	p->len = len;
	return p->bytes;
}

/* The last fact of this name, or 0. */
static uint64_t fact(const struct txt *t, const char *name)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < t->facts; i++)
		if (!strcmp(t->fact[i].name, name))
			value = t->fact[i].value;
	return value;
}

/* Linux says where the shared page is; of a launch that did not come about there is none. */
static uint64_t tboot_address(void)
{
	size_t len;
	uint64_t address = 0;
	char *params = sysfile_read(&len, "/sys/kernel/boot_params/data");

	if (params && len >= TBOOT_ADDRESS + 8)
		memcpy(&address, params + TBOOT_ADDRESS, 8);
	free(params);
	return address;
}

static void read_slrt(const char *memory)
{
	struct txt *heap = &parts[PART_HEAP].found;
	uint64_t address;

	if (!parts[PART_HEAP].bytes)
		return;
	txt_heap(heap, parts[PART_HEAP].bytes, parts[PART_HEAP].len);
	address = fact(heap, "SLRT");
	heap->facts = 0;
	if (address)
		take(memory, PART_SLRT, address & ~7ull, SLRT_ROOM);
}

static int read_memory(const char *memory)
{
	uint64_t shared = tboot_address(), base, size;
	struct txt_regs r;

	parts[PART_REGISTERS].bytes = physical_txt(memory);
	parts[PART_REGISTERS].len = TXT_PAGE;
	if (!parts[PART_REGISTERS].bytes) {
		cli_error("%s: TXT's registers: %s; be root, without lockdown, or give files",
			  memory, strerror(errno));
		return CLI_FAILED;
	}
	txt_regs_read(&r, parts[PART_REGISTERS].bytes, TXT_PAGE);
	base = r.reg[TXT_HEAP_BASE];
	size = r.reg[TXT_HEAP_SIZE];
	if (txt_verdict(&r) != TXT_VERDICT_ABSENT && base && size && size <= PHYSICAL_MAX)
		take(memory, PART_HEAP, base & ~7ull, size & ~7ull);
	read_slrt(memory);
	if (!shared || !take(memory, PART_TBOOT, shared, TXT_PAGE))
		take(memory, PART_TBOOT, TBOOT_LOG, TXT_PAGE);
	/* Without tboot anything is there. */
	if (parts[PART_TBOOT].bytes &&
	    txt_tboot(&parts[PART_TBOOT].found, parts[PART_TBOOT].bytes, TXT_PAGE)) {
		free(parts[PART_TBOOT].bytes);
		parts[PART_TBOOT].bytes = NULL;
	}
	parts[PART_TBOOT].found.facts = 0;
	return CLI_OK;
}

/* --- what they say --- */

static json_object *value_json(const struct txt_fact *f)
{
	char text[24];

	if (f->kind == TXT_NUMBER)
		return json_object_new_int64((int64_t)f->value);
	if (f->kind == TXT_BYTES)
		return attest_hex(f->bytes, f->len);
	if (f->kind == TXT_TEXT)
		return json_object_new_string_len((const char *)f->bytes, (int)f->len);
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)f->value);
	return json_object_new_string(text);
}

/* A table's fields are a list: some come more than once. */
static void add_tables(json_object *tables, const struct txt *t)
{
	json_object *fields = NULL, *o;
	unsigned int i;

	for (i = 0; i < t->facts; i++) {
		o = json_object_new_object();
		json_object_object_add(o, t->fact[i].kind == TXT_TABLE ? "table" : "name",
				       json_object_new_string(t->fact[i].name));
		if (t->fact[i].kind == TXT_TABLE) {
			fields = json_object_new_array();
			json_object_object_add(o, "fields", fields);
			json_object_array_add(tables, o);
			continue;
		}
		json_object_object_add(o, "value", value_json(&t->fact[i]));
		json_object_array_add(fields, o);
	}
}

static void add_text(json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

static enum txt_verdict add_verdict(json_object *o)
{
	enum txt_verdict verdict;
	struct txt_regs r;
	char error[160];

	txt_regs_read(&r, parts[PART_REGISTERS].bytes, parts[PART_REGISTERS].len);
	verdict = txt_verdict(&r);
	txt_error_words((uint32_t)r.reg[TXT_ERRORCODE], error);
	add_text(o, "verdict", txt_verdict_word(verdict));
	add_text(o, "reason", txt_verdict_reason(verdict));
	if (verdict != TXT_VERDICT_ABSENT)
		add_text(o, "error", error);
	return verdict;
}

static void add_launcher(json_object *o, enum txt_verdict verdict)
{
	bool tboot = parts[PART_TBOOT].bytes && !parts[PART_TBOOT].fault;

	if (!tboot && (!parts[PART_SLRT].bytes || parts[PART_SLRT].fault))
		return;
	add_text(o, "launcher", tboot ? verdict == TXT_VERDICT_MEASURED ? "tboot" :
		 "tboot ran, nothing measured" : "Secure Launch");
}

static void add_faults(json_object *o)
{
	json_object *faults = json_object_new_array(), *one;
	unsigned int i;

	for (i = 0; i < PARTS; i++) {
		if (!parts[i].fault)
			continue;
		one = json_object_new_object();
		add_text(one, "part", kinds[i].name);
		json_object_object_add(one, "offset",
				       json_object_new_int64((int64_t)parts[i].found.at));
		add_text(one, "fault", txt_fault_words(parts[i].fault));
		json_object_array_add(faults, one);
	}
	json_object_object_add(o, "faults", faults);
}

static void print_tables(json_object *tables)
{
	json_object *table, *fields, *field;
	size_t i, j;

	for (i = 0; i < json_object_array_length(tables); i++) {
		table = json_object_array_get_idx(tables, i);
		fields = json_object_object_get(table, "fields");
		puts(json_object_get_string(json_object_object_get(table, "table")));
		for (j = 0; j < json_object_array_length(fields); j++) {
			field = json_object_array_get_idx(fields, j);
			printf("  %s: %s\n",
			       json_object_get_string(json_object_object_get(field, "name")),
			       json_object_get_string(json_object_object_get(field, "value")));
		}
	}
}

static void print_text(json_object *o)
{
	json_object *faults = json_object_object_get(o, "faults"), *one;
	size_t i;

	print_tables(json_object_object_get(o, "tables"));
	for (i = 0; i < json_object_array_length(faults); i++) {
		one = json_object_array_get_idx(faults, i);
		printf("%s: refused at byte %s: %s\n",
		       json_object_get_string(json_object_object_get(one, "part")),
		       json_object_get_string(json_object_object_get(one, "offset")),
		       json_object_get_string(json_object_object_get(one, "fault")));
	}
	json_object_object_foreach(o, name, value) {
		if (json_object_is_type(value, json_type_string))
			printf("%s: %s\n", name, json_object_get_string(value));
	}
}

/* Return: exit status; without registers there is no verdict, and what can be read is enough. */
static int say(bool json)
{
	json_object *o = json_object_new_object(), *tables = json_object_new_array();
	enum txt_verdict verdict = TXT_VERDICT_MEASURED;
	bool refused = false;
	unsigned int i;

	json_object_object_add(o, "tables", tables);
	for (i = 0; i < PARTS; i++) {
		if (!parts[i].bytes)
			continue;
		parts[i].fault = kinds[i].parse(&parts[i].found, parts[i].bytes, parts[i].len);
		refused |= !!parts[i].fault;
		add_tables(tables, &parts[i].found);
	}
	add_faults(o);
	if (parts[PART_REGISTERS].bytes && !parts[PART_REGISTERS].fault)
		verdict = add_verdict(o);
	add_launcher(o, verdict);
	if (json)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	else
		print_text(o);
	json_object_put(o);
	return refused || verdict != TXT_VERDICT_MEASURED ? CLI_NOT_READY : CLI_OK;
}

static int parse(int argc, char **argv, const char **memory, bool *json)
{
	static const struct option options[] = {
		{ "registers", required_argument, NULL, PART_REGISTERS },
		{ "heap", required_argument, NULL, PART_HEAP },
		{ "acm", required_argument, NULL, PART_ACM },
		{ "slrt", required_argument, NULL, PART_SLRT },
		{ "tboot", required_argument, NULL, PART_TBOOT },
		{ "memory", required_argument, NULL, 'm' },
		{ "output", required_argument, NULL, 'o' },
		{ }
	};
	bool files = false;
	int opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (opt < PARTS && opt >= 0) {
			parts[opt].path = optarg;
			files = true;
		} else if (opt == 'm') {
			*memory = optarg;
		} else if (opt != 'o') {
			return cli_usage_error("%s: see above", argv[0]);
		} else if (cli_parse_output(optarg, json)) {
			return CLI_USAGE;
		}
	}
	if (optind < argc)
		return cli_usage_error("%s: \"%s\" is too much", argv[0], argv[optind]);
	if (files && *memory)
		return cli_usage_error("%s: --memory or files, not both", argv[0]);
	if (!files && !*memory)
		*memory = PHYSICAL_MEMORY;
	return CLI_OK;
}

int cmd_txt(int argc, char **argv)
{
	const char *memory = NULL;
	bool json = false;
	unsigned int i;
	int err = parse(argc, argv, &memory, &json);

	if (!err)
		err = memory ? read_memory(memory) : read_files();
	if (!err)
		err = say(json);
	for (i = 0; i < PARTS; i++)
		free(parts[i].bytes);
	return err;
}
