// SPDX-License-Identifier: GPL-2.0
/* The launch's own log. */
#include <string.h>
#include "userspace/attest/launchlog.h"

#define TAG_HEADER	8

static const struct {
	const char *words;
	uint32_t size;
} events[LAUNCH_COUNT] = {
#define LAUNCH_ROW(name, words, size)	{ words, size },
	{ }, LAUNCH_EVENTS(LAUNCH_ROW)
};

const char *launch_event_words(enum launch_event event)
{
	return events[event].words;
}

static void put_le(uint8_t *p, uint32_t value, int bytes)
{
	int i;

	for (i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

size_t launch_log_event_data(uint8_t *data, enum launch_event event, const void *content,
			     uint32_t len)
{
	put_le(data, LAUNCH_TAG + event, 4);
	put_le(data + 4, len, 4);
	memcpy(data + TAG_HEADER, content, len);
	return TAG_HEADER + len;
}

/* Spec ID event: class client, version 2.0, words of 64 bits, SHA-256. */
static size_t write_spec_id(uint8_t *log)
{
	static const uint8_t spec_id[] = {
		'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0', '3', 0,
		0, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, ALG_SHA256, 0, SHA256_SIZE, 0, 0
	};

	memset(log, 0, 32);
	put_le(log + 4, EV_NO_ACTION, 4);
	put_le(log + 28, sizeof(spec_id), 4);
	memcpy(log + 32, spec_id, sizeof(spec_id));
	return 32 + sizeof(spec_id);
}

void launch_log_write(uint8_t *log, size_t *len, uint32_t pcr, enum launch_event event,
		      const void *content, uint32_t content_len)
{
	uint8_t *at;
	size_t n;

	if (!*len)
		*len = write_spec_id(log);
	at = log + *len;
	put_le(at, pcr, 4);
	put_le(at + 4, EV_EVENT_TAG, 4);
	put_le(at + 8, 1, 4);
	put_le(at + 12, ALG_SHA256, 2);
	n = launch_log_event_data(at + 50, event, content, content_len);
	attest_sha256(at + 50, n, at + 14);
	put_le(at + 46, (uint32_t)n, 4);
	*len += 50 + n;
}

enum launch_event launch_event_of(const struct eventlog_event *event)
{
	uint32_t tag;

	if (event->type != EV_EVENT_TAG || event->len < TAG_HEADER ||
	    le32(event->data + 4) != event->len - TAG_HEADER)
		return LAUNCH_NONE;
	tag = le32(event->data) - LAUNCH_TAG;
	return tag < LAUNCH_COUNT ? (enum launch_event)tag : LAUNCH_NONE;
}

/* One event, which must be the @wanted one. */
static const char *take(const struct eventlog_event *event, enum launch_event wanted,
			struct launch_log *launch)
{
	enum launch_event got = launch_event_of(event);
	uint8_t digest[SHA256_SIZE];

	if (!launch->pcr)
		launch->pcr = event->pcr;
	if (event->pcr != launch->pcr || (event->pcr != PCR_STRONG && event->pcr != PCR_WEAK))
		return "the launch's log has an event of another PCR";
	if (got == LAUNCH_NONE)
		return "the launch's log has an event that is none of a launch";
	attest_sha256(event->data, event->len, digest);
	if (memcmp(digest, event->digest[0].bytes, sizeof(digest)))
		return "an event's digest in the launch's log is not that of its data";
	if (got != wanted && got == LAUNCH_IMAGE)
		return "the launch's log has a second launch";
	if (got != wanted)
		return "an event is missing in the launch's log, or not in its place";
	if (event->len - TAG_HEADER > LAUNCH_CONTENT ||
	    (events[got].size && event->len - TAG_HEADER != events[got].size))
		return "an event in the launch's log has another size than it must have";
	launch->content[got].bytes = event->data + TAG_HEADER;
	launch->content[got].len = event->len - TAG_HEADER;
	return NULL;
}

const char *launch_log_read(const uint8_t *bytes, size_t len, struct launch_log *launch)
{
	enum launch_event wanted = LAUNCH_IMAGE;
	struct eventlog_event event;
	enum eventlog_fault fault;
	struct eventlog log;
	const char *wrong;

	memset(launch, 0, sizeof(*launch));
	fault = eventlog_open(&log, bytes, len);
	if (fault)
		return eventlog_words(fault);
	if (!log.agile || log.algs != 1 || log.alg[0].id != ALG_SHA256)
		return "the launch's log is not of SHA-256 alone";
	fault = eventlog_next(&log, &event);	/* the Spec ID event */
	while (!fault && !eventlog_end(&log)) {
		fault = eventlog_next(&log, &event);
		if (fault)
			break;
		wrong = take(&event, wanted, launch);
		if (wrong)
			return wrong;
		wanted++;
	}
	if (fault)
		return eventlog_words(fault);
	if (wanted <= LAUNCH_KEY)
		return "the launch's log ends before the launch's key";
	launch->ended = wanted > LAUNCH_END;
	return NULL;
}
