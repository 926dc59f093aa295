// SPDX-License-Identifier: GPL-2.0
/* A verifier's policy: lists of what is accepted. What it does not name it does not accept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/policy.h"
#include "userspace/attest/report.h"
#include "userspace/cli/cli.h"

#define PCRS	24

/* Each member, and its type. */
static const struct {
	const char *name;
	enum json_type type;
	bool needed;
} members[] = {
	{ "format", json_type_string, true },
	{ "aks", json_type_array, false },
	{ "accept", json_type_array, true },
	{ "images", json_type_array, true },
	{ "configurations", json_type_array, true },
	{ "iommu", json_type_array, true },
	{ "pcrs", json_type_object, false },
	{ "weaknesses", json_type_array, false },
	{ "clock", json_type_object, false },
	{ "measurements", json_type_array, false },
	{ "askers", json_type_array, false },
	{ "reports", json_type_object, false },
};

/* A member that is misspelt would be a check that is left out. */
static const char *check_names(json_object *o)
{
	size_t i;

	json_object_object_foreach(o, name, value) {
		for (i = 0; i < ARRAY_SIZE(members) && strcmp(members[i].name, name); i++)
			;
		if (i == ARRAY_SIZE(members))
			return "it has a member that no policy has";
		if (!json_object_is_type(value, members[i].type))
			return "a member has another type than it must have";
	}
	for (i = 0; i < ARRAY_SIZE(members); i++)
		if (members[i].needed && !json_object_object_get_ex(o, members[i].name, NULL))
			return "it lacks format, accept, images, configurations or iommu";
	return NULL;
}

/* A number below @count, written as it must be, or -1. */
static int number_of(const char *text, unsigned int count)
{
	char again[4];
	int n = atoi(text);

	snprintf(again, sizeof(again), "%u", (unsigned int)n % count);
	return strcmp(again, text) ? -1 : n;
}

/* Numbers below @count, each with a list of values. */
static bool numbered(json_object *o, unsigned int count)
{
	if (!o)
		return true;
	json_object_object_foreach(o, number, values) {
		if (number_of(number, count) < 0 || !json_object_is_type(values, json_type_array))
			return false;
	}
	return true;
}

static const char *check_clock(json_object *o)
{
	if (!o)
		return NULL;
	json_object_object_foreach(o, name, value) {
		if ((strcmp(name, "resetCount") && strcmp(name, "restartCount")) ||
		    !json_object_is_type(value, json_type_int))
			return "clock has other members than numbers resetCount and restartCount";
	}
	return NULL;
}

static const char *check(json_object *o)
{
	const char *wrong;

	if (!json_object_is_type(o, json_type_object))
		return "it is no JSON object";
	wrong = check_names(o);
	if (wrong)
		return wrong;
	if (strcmp(json_object_get_string(json_object_object_get(o, "format")), POLICY_FORMAT))
		return "its format is another one than " POLICY_FORMAT;
	if (!numbered(json_object_object_get(o, "pcrs"), PCRS))
		return "a member of pcrs is no PCR with a list of values";
	if (!numbered(json_object_object_get(o, "reports"), UP_VM_REPORTS))
		return "a member of reports is no digest's number with a list of values";
	return check_clock(json_object_object_get(o, "clock"));
}

const char *policy_read(struct policy *p, const uint8_t *text, size_t len)
{
	json_tokener *tokener = json_tokener_new_ex(5);
	const char *wrong;

	p->json = tokener ? json_tokener_parse_ex(tokener, (const char *)text, (int)len) : NULL;
	json_tokener_free(tokener);
	wrong = check(p->json);
	if (wrong)
		policy_free(p);
	return wrong;
}

void policy_free(struct policy *p)
{
	json_object_put(p->json);
	p->json = NULL;
}

static bool in_list(json_object *list, const char *text)
{
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(list, i)), text))
			return true;
	return false;
}

bool policy_lists(const struct policy *p, const char *name, const char *text)
{
	return in_list(json_object_object_get(p->json, name), text);
}

static bool bytes_in(json_object *list, const uint8_t *bytes, size_t len)
{
	json_object *hex = attest_hex(bytes, len);
	bool found = hex && in_list(list, json_object_get_string(hex));

	json_object_put(hex);
	return found;
}

bool policy_lists_bytes(const struct policy *p, const char *name, const uint8_t *bytes,
			size_t len)
{
	return bytes_in(json_object_object_get(p->json, name), bytes, len);
}

bool policy_has(const struct policy *p, const char *name)
{
	return json_object_object_get_ex(p->json, name, NULL);
}

/* The numbers that a member has, a bit each. */
static uint32_t numbers(const struct policy *p, const char *name, unsigned int count)
{
	json_object *o = json_object_object_get(p->json, name);
	uint32_t bits = 0;

	if (!o)
		return 0;
	json_object_object_foreach(o, number, values) {
		(void)values;
		bits |= 1u << number_of(number, count);
	}
	return bits;
}

static bool has_numbered(const struct policy *p, const char *name, uint32_t number,
			 const uint8_t value[SHA256_SIZE])
{
	char text[12];

	snprintf(text, sizeof(text), "%u", number);
	return bytes_in(json_object_object_get(json_object_object_get(p->json, name), text),
			value, SHA256_SIZE);
}

uint32_t policy_pcrs(const struct policy *p)
{
	return numbers(p, "pcrs", PCRS);
}

bool policy_has_pcr(const struct policy *p, uint32_t pcr, const uint8_t value[SHA256_SIZE])
{
	return has_numbered(p, "pcrs", pcr, value);
}

uint32_t policy_reports(const struct policy *p)
{
	return numbers(p, "reports", UP_VM_REPORTS);
}

bool policy_has_report(const struct policy *p, uint32_t index, const uint8_t value[SHA256_SIZE])
{
	return has_numbered(p, "reports", index, value);
}

bool policy_clock(const struct policy *p, const char *name, int64_t value)
{
	json_object *clock = json_object_object_get(p->json, "clock");
	json_object *wanted = json_object_object_get(clock, name);

	return !wanted || json_object_get_int64(wanted) == value;
}
