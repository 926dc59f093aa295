// SPDX-License-Identifier: GPL-2.0
/* underpin attest log FILE: an event log's events, and the PCRs that they lead to. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/launchlog.h"
#include "userspace/cli/cli.h"

static void add(json_object *o, const char *name, json_object *value)
{
	json_object_object_add(o, name, value);
}

static json_object *alg_name(uint16_t id)
{
	const char *name = eventlog_alg_name(id);
	char number[8];

	snprintf(number, sizeof(number), "0x%04x", id);
	return json_object_new_string(name ? name : number);
}

static json_object *event_json(const struct eventlog_event *event)
{
	json_object *o = json_object_new_object(), *digests = json_object_new_object();
	const char *type = eventlog_type_name(event->type);
	enum launch_event launch = launch_event_of(event);
	unsigned int i;
	char number[16];

	snprintf(number, sizeof(number), "0x%x", event->type);
	add(o, "offset", json_object_new_int64((int64_t)event->at));
	add(o, "pcr", json_object_new_int64(event->pcr));
	add(o, "type", json_object_new_string(type ? type : number));
	for (i = 0; i < event->digests; i++) {
		json_object *name = alg_name(event->digest[i].alg->id);

		add(digests, json_object_get_string(name),
		    attest_hex(event->digest[i].bytes, event->digest[i].alg->size));
		json_object_put(name);
	}
	add(o, "digests", digests);
	if (launch)
		add(o, "launch", json_object_new_string(launch_event_words(launch)));
	add(o, "data", attest_hex(event->data, event->len));
	return o;
}

static json_object *pcrs_json(const struct eventlog *log, const struct eventlog_pcrs *pcrs)
{
	json_object *all = json_object_new_object(), *bank, *name;
	unsigned int i, pcr;
	char number[4];

	for (i = 0; i < log->algs; i++) {
		bank = json_object_new_object();
		for (pcr = 0; pcr < EVENTLOG_PCRS; pcr++) {
			if (!(pcrs->extended[i] >> pcr & 1))
				continue;
			snprintf(number, sizeof(number), "%u", pcr);
			add(bank, number, attest_hex(pcrs->value[i][pcr], log->alg[i].size));
		}
		name = alg_name(log->alg[i].id);
		add(all, json_object_get_string(name), bank);
		json_object_put(name);
	}
	return all;
}

static void print_event(json_object *o)
{
	const char *data = json_object_get_string(json_object_object_get(o, "data"));
	json_object *launch = json_object_object_get(o, "launch");

	printf("PCR %s  %s", json_object_get_string(json_object_object_get(o, "pcr")),
	       json_object_get_string(json_object_object_get(o, "type")));
	if (launch)
		printf("  %s", json_object_get_string(launch));
	printf("  %zu bytes\n", strlen(data) / 2);
	json_object_object_foreach(json_object_object_get(o, "digests"), alg, digest)
		printf("  %s %s\n", alg, json_object_get_string(digest));
}

/* One after the other: a long log takes no more memory than its bytes. */
static void print_events(const uint8_t *bytes, size_t len, bool json)
{
	struct eventlog_event event;
	struct eventlog log;
	json_object *o;
	bool more = false;

	if (eventlog_open(&log, bytes, len))
		return;
	for (; !eventlog_end(&log) && !eventlog_next(&log, &event); more = true) {
		o = event_json(&event);
		if (json)
			printf("%s%s", more ? ",\n" : "",
			       json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
		else
			print_event(o);
		json_object_put(o);
	}
}

static void print_pcrs(json_object *pcrs)
{
	json_object_object_foreach(pcrs, alg, bank) {
		json_object_object_foreach(bank, pcr, value)
			printf("%s PCR %s = %s\n", alg, pcr, json_object_get_string(value));
	}
}

static void print_text(const struct eventlog *log, enum eventlog_fault fault, json_object *pcrs)
{
	print_events(log->bytes, log->len, false);
	if (fault)
		printf("refused at byte %zu: %s\n", log->at, eventlog_words(fault));
	else
		print_pcrs(pcrs);
}

static void print_json(const struct eventlog *log, enum eventlog_fault fault, json_object *pcrs)
{
	printf("{\"format\":\"%s\",\"events\":[\n", log->agile ? "crypto-agile" : "sha1");
	print_events(log->bytes, log->len, true);
	printf("],\n");
	if (fault)
		printf("\"offset\":%zu,\"fault\":\"%s\"}\n", log->at, eventlog_words(fault));
	else
		printf("\"pcrs\":%s}\n", json_object_to_json_string(pcrs));
}

static int show_log(const char *path, bool json)
{
	static struct eventlog_pcrs pcrs;
	enum eventlog_fault fault;
	struct eventlog log;
	json_object *values;
	size_t len;
	uint8_t *bytes = attest_read(path, &len);

	if (!bytes)
		return CLI_FAILED;
	fault = eventlog_replay(bytes, len, 0, &log, &pcrs);
	values = pcrs_json(&log, &pcrs);
	(json ? print_json : print_text)(&log, fault, values);
	json_object_put(values);
	free(bytes);
	return fault ? CLI_NOT_READY : CLI_OK;
}

int cmd_log(int argc, char **argv)
{
	bool json;
	int at = cli_only_output(argc, argv, 1, &json);

	return at < 0 ? CLI_USAGE : show_log(argv[at], json);
}
