// SPDX-License-Identifier: GPL-2.0
/* Recording what is seen of a machine, and seeing it again. */
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/cli/cli.h"
#include "userspace/cli/observe.h"

#define FORMAT		"underpin-report"
#define VERSION		1

static json_object *seen;	/* by key: {"text"}, {"hex"} or {"errno"} */
static bool replaying;

/* Bytes that JSON can hold as they are. */
static bool is_text(const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((data[i] < ' ' && data[i] != '\n' && data[i] != '\t') || data[i] > '~')
			return false;
	return true;
}

static json_object *entry_of(const char *data, size_t len, int err)
{
	json_object *entry = json_object_new_object();
	char *hex;

	if (!data) {
		json_object_object_add(entry, "errno", json_object_new_int(err));
	} else if (is_text(data, len)) {
		json_object_object_add(entry, "text", json_object_new_string_len(data, len));
	} else {
		hex = malloc(2 * len + 1);
		if (!hex)
			abort();
		cli_hex(hex, (const unsigned char *)data, len);
		json_object_object_add(entry, "hex", json_object_new_string(hex));
		free(hex);
	}
	return entry;
}

static char *copy_of(const char *from, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		abort();
	memcpy(copy, from, len);
	copy[len] = 0;
	return copy;
}

static char *data_of(json_object *entry, size_t *len)
{
	json_object *value;
	char *data;

	errno = ENODATA;
	if (!json_object_is_type(entry, json_type_object))
		return NULL;
	if (json_object_object_get_ex(entry, "errno", &value)) {
		errno = json_object_get_int(value);
		return NULL;
	}
	if (json_object_object_get_ex(entry, "text", &value) &&
	    json_object_is_type(value, json_type_string)) {
		*len = json_object_get_string_len(value);
		return copy_of(json_object_get_string(value), *len);
	}
	if (!json_object_object_get_ex(entry, "hex", &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	*len = json_object_get_string_len(value) / 2;
	data = copy_of(json_object_get_string(value), *len);	/* room for it */
	if (!cli_unhex(json_object_get_string(value), (unsigned char *)data, *len))
		return data;
	free(data);
	errno = ENODATA;
	return NULL;
}

char *observe(const char *key, size_t *len, observe_look *look)
{
	json_object *entry;
	char *data;

	if (seen && json_object_object_get_ex(seen, key, &entry))
		return data_of(entry, len);
	if (replaying) {
		errno = ENODATA;
		return NULL;
	}
	data = look(key, len);
	if (seen) {
		int err = errno;

		json_object_object_add(seen, key, entry_of(data, data ? *len : 0, err));
		errno = err;
	}
	return data;
}

void observe_record(void)
{
	observe_forget();
	seen = json_object_new_object();
}

bool observe_replaying(void)
{
	return replaying;
}

void observe_forget(void)
{
	json_object_put(seen);
	seen = NULL;
	replaying = false;
}

int observe_save(const char *path)
{
	json_object *report = json_object_new_object();
	int err;

	json_object_object_add(report, "format", json_object_new_string(FORMAT));
	json_object_object_add(report, "version", json_object_new_int(VERSION));
	json_object_object_add(report, "seen", json_object_get(seen));
	err = json_object_to_file_ext(path, report, JSON_C_TO_STRING_PRETTY |
				       JSON_C_TO_STRING_NOSLASHESCAPE);
	if (err)
		cli_error("%s: %s", path, strerror(errno));
	json_object_put(report);
	return err ? -1 : 0;
}

int observe_replay(const char *path)
{
	json_object *report, *format, *version, *entries;
	int err = -1;

	observe_forget();
	report = json_object_from_file(path);
	if (!report)
		cli_error("%s", json_util_get_last_err());
	else if (!json_object_object_get_ex(report, "format", &format) ||
		 strcmp(json_object_get_string(format), FORMAT) ||
		 !json_object_object_get_ex(report, "version", &version) ||
		 json_object_get_int(version) != VERSION ||
		 !json_object_object_get_ex(report, "seen", &entries) ||
		 !json_object_is_type(entries, json_type_object))
		cli_error("%s: not a report of version %d; make one with 'underpin check --report'",
			  path, VERSION);
	else
		err = 0;
	if (!err) {
		seen = json_object_get(entries);
		replaying = true;
	}
	json_object_put(report);
	return err;
}
