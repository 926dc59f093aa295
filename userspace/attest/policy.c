// SPDX-License-Identifier: GPL-2.0
/* A verifier's policy: lists of what is accepted. What it does not name it does not accept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/attest/policy.h"
#include "userspace/cli/cli.h"

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

/* The number of a PCR, or -1. */
static int pcr_number(const char *text)
{
	char again[4];
	int pcr = atoi(text);

	snprintf(again, sizeof(again), "%u", (unsigned int)pcr % 24);
	return strcmp(again, text) ? -1 : pcr;
}

static const char *check_pcrs(json_object *o)
{
	if (!o)
		return NULL;
	json_object_object_foreach(o, pcr, values) {
		if (pcr_number(pcr) < 0 || !json_object_is_type(values, json_type_array))
			return "a member of pcrs is no PCR with a list of values";
	}
	return NULL;
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
	wrong = check_pcrs(json_object_object_get(o, "pcrs"));
	return wrong ? wrong : check_clock(json_object_object_get(o, "clock"));
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

uint32_t policy_pcrs(const struct policy *p)
{
	json_object *o = json_object_object_get(p->json, "pcrs");
	uint32_t pcrs = 0;

	if (!o)
		return 0;
	json_object_object_foreach(o, pcr, values) {
		(void)values;
		pcrs |= 1u << pcr_number(pcr);
	}
	return pcrs;
}

bool policy_has_pcr(const struct policy *p, uint32_t pcr, const uint8_t value[SHA256_SIZE])
{
	char number[4];

	snprintf(number, sizeof(number), "%u", pcr % 24);
	return bytes_in(json_object_object_get(json_object_object_get(p->json, "pcrs"), number),
			value, SHA256_SIZE);
}

bool policy_clock(const struct policy *p, const char *name, int64_t value)
{
	json_object *clock = json_object_object_get(p->json, "clock");
	json_object *wanted = json_object_object_get(clock, name);

	return !wanted || json_object_get_int64(wanted) == value;
}
