/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TPM event logs: what was extended into which PCR (TCG PC Client Platform Firmware Profile
 * 1.06, chapter 10). Crypto-agile logs and those of SHA-1 alone are read; the former are
 * written. The bytes are an adversary's: nothing is believed that a replay does not show.
 */
#ifndef ATTEST_EVENTLOG_H
#define ATTEST_EVENTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENTLOG_ALGS	8	/* banks of a log */
#define EVENTLOG_PCRS	24
#define EVENTLOG_EVENTS	100000	/* behind the first, which says what the log is */
#define DIGEST_MAX	64

/* A row: an algorithm of digests (TCG Algorithm Registry). */
#define EVENTLOG_HASHES(X) \
	X(0x0004, 20, "sha1", "SHA1") \
	X(0x000b, 32, "sha256", "SHA256") \
	X(0x000c, 48, "sha384", "SHA384") \
	X(0x000d, 64, "sha512", "SHA512") \
	X(0x0012, 32, "sm3_256", "SM3") \
	X(0x0027, 32, "sha3_256", "SHA3-256") \
	X(0x0028, 48, "sha3_384", "SHA3-384") \
	X(0x0029, 64, "sha3_512", "SHA3-512")

#define ALG_SHA1	0x0004
#define ALG_SHA256	0x000b

enum eventlog_type {
	EV_NO_ACTION = 3,
	EV_EVENT_TAG = 6,
};

/* A row: why a log is refused. */
#define EVENTLOG_FAULTS(X) \
	X(EMPTY, "it is empty") \
	X(HEADER, "an event is shorter than its header") \
	X(PCR, "an event is of a PCR that no TPM has") \
	X(SPEC_ID, "the Spec ID event is malformed") \
	X(ALG_LIST, "the Spec ID event lists no algorithm, too many, or one twice") \
	X(ALG_SIZE, "a digest's size is not its algorithm's") \
	X(DIGEST_COUNT, "an event has not one digest for each of the log's algorithms") \
	X(DIGEST_ALG, "an event has a digest that the Spec ID event does not list, or one twice") \
	X(DIGEST, "a digest reaches beyond the log") \
	X(DATA, "an event's data reach beyond the log") \
	X(MANY, "it has more than 100,000 events behind its first")

#define EVENTLOG_FAULT_NAME(name, words) EVENTLOG_##name,
enum eventlog_fault { EVENTLOG_OK, EVENTLOG_FAULTS(EVENTLOG_FAULT_NAME) EVENTLOG_FAULT_COUNT };

struct eventlog_alg {
	uint16_t id, size;
};

struct eventlog {
	const uint8_t *bytes;
	size_t len;
	size_t at;			/* of the next event; of the fault, if any */
	bool agile;
	unsigned int algs;
	struct eventlog_alg alg[EVENTLOG_ALGS];
	unsigned int events;		/* read so far */
};

struct eventlog_event {
	size_t at;
	uint32_t pcr, type;
	unsigned int digests;
	struct {
		const struct eventlog_alg *alg;	/* one of the log's, or SHA-1 */
		const uint8_t *bytes;
	} digest[EVENTLOG_ALGS];
	const uint8_t *data;
	uint32_t len;
};

/* The PCRs that a log leads to, by the log's algorithms. */
struct eventlog_pcrs {
	uint32_t extended[EVENTLOG_ALGS];	/* a bit each */
	uint8_t value[EVENTLOG_ALGS][EVENTLOG_PCRS][DIGEST_MAX];
};

/** eventlog_open() - begin to read; the algorithms are known then */
enum eventlog_fault eventlog_open(struct eventlog *log, const uint8_t *bytes, size_t len);

/** eventlog_end() - has it been read to its end? */
bool eventlog_end(const struct eventlog *log);

/** eventlog_next() - the next event; not at the end */
enum eventlog_fault eventlog_next(struct eventlog *log, struct eventlog_event *event);

/**
 * eventlog_replay() - read all, and extend what it says
 * @dynamic: each byte of PCRs 17 to 22 at first: 0 after a dynamic launch, else 0xff
 *
 * Return: EVENTLOG_OK, or the first fault; @log->at says where.
 */
enum eventlog_fault eventlog_replay(const uint8_t *bytes, size_t len, uint8_t dynamic,
				    struct eventlog *log, struct eventlog_pcrs *pcrs);

/** eventlog_words() - a fault in words */
const char *eventlog_words(enum eventlog_fault fault);

/** eventlog_alg_name() - "sha256", or NULL */
const char *eventlog_alg_name(uint16_t id);

/** eventlog_type_name() - "EV_SEPARATOR", or NULL */
const char *eventlog_type_name(uint32_t type);

#endif /* ATTEST_EVENTLOG_H */
