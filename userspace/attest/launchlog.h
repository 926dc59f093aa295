/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launch's own log: crypto-agile, of SHA-256 alone. A launch makes four events in
 * PCR 19 (in weak mode: 15), in this order, and a fifth one when the layer leaves. Each is
 * of type EV_EVENT_TAG, and its digest is the SHA-256 of its data: tag, length, content.
 */
#ifndef ATTEST_LAUNCHLOG_H
#define ATTEST_LAUNCHLOG_H

#include "userspace/attest/attest.h"
#include "userspace/attest/eventlog.h"

#define PCR_STRONG	19
#define PCR_WEAK	15
#define LAUNCH_TAG	0x55500000u	/* and the event's number */
#define LAUNCH_CONTENT	4096u

/* A row: an event, its words, and the size of its content; 0: any. */
#define LAUNCH_EVENTS(X) \
	X(IMAGE, "root image", SHA256_SIZE) \
	X(CONFIG, "configuration", 0) \
	X(IOMMU, "IOMMU state", 0) \
	X(KEY, "public key", PUBLIC_SIZE) \
	X(END, "end", 0)

#define LAUNCH_EVENT_NAME(name, words, size) LAUNCH_##name,
enum launch_event { LAUNCH_NONE, LAUNCH_EVENTS(LAUNCH_EVENT_NAME) LAUNCH_COUNT };

struct launch_log {
	uint32_t pcr;
	bool ended;
	struct {
		const uint8_t *bytes;
		uint32_t len;
	} content[LAUNCH_COUNT];
};

/** launch_log_event_data() - tag, length and content of an event.  Return: their length */
size_t launch_log_event_data(uint8_t *data, enum launch_event event, const void *content,
			     uint32_t len);

/**
 * launch_log_write() - append an event, and the Spec ID event before the first one
 * @log: @len: grow; @log has room for LAUNCH_CONTENT + 200 bytes more
 */
void launch_log_write(uint8_t *log, size_t *len, uint32_t pcr, enum launch_event event,
		      const void *content, uint32_t content_len);

/**
 * launch_log_read() - exactly one launch?
 *
 * Return: NULL, or what is wrong, in words.
 */
const char *launch_log_read(const uint8_t *bytes, size_t len, struct launch_log *launch);

/** launch_event_of() - which event this is, or LAUNCH_NONE */
enum launch_event launch_event_of(const struct eventlog_event *event);

/** launch_event_words() - "root image" */
const char *launch_event_words(enum launch_event event);

#endif /* ATTEST_LAUNCHLOG_H */
