// SPDX-License-Identifier: GPL-2.0
/* Event logs: reading and replay. Every offset is compared with what is left. */
#include <openssl/evp.h>
#include <string.h>
#include "userspace/attest/eventlog.h"
#include "userspace/cli/cli.h"

#define SHA1_SIZE	20
#define SPEC_ID		"Spec ID Event03"	/* and a 0 */
#define LOCALITY	"StartupLocality"	/* and a 0 */

static const struct {
	uint16_t id, size;
	const char *name, *openssl;
} hashes[] = {
#define HASH_ROW(id, size, name, openssl)	{ id, size, name, openssl },
	EVENTLOG_HASHES(HASH_ROW)
};

/* TCG PC Client Platform Firmware Profile, 10.4.1 */
static const struct {
	uint32_t type;
	const char *name;
} types[] = {
	{ 0x0, "EV_PREBOOT_CERT" }, { 0x1, "EV_POST_CODE" }, { 0x2, "EV_UNUSED" },
	{ 0x3, "EV_NO_ACTION" }, { 0x4, "EV_SEPARATOR" }, { 0x5, "EV_ACTION" },
	{ 0x6, "EV_EVENT_TAG" }, { 0x7, "EV_S_CRTM_CONTENTS" }, { 0x8, "EV_S_CRTM_VERSION" },
	{ 0x9, "EV_CPU_MICROCODE" }, { 0xa, "EV_PLATFORM_CONFIG_FLAGS" },
	{ 0xb, "EV_TABLE_OF_DEVICES" }, { 0xc, "EV_COMPACT_HASH" }, { 0xd, "EV_IPL" },
	{ 0xe, "EV_IPL_PARTITION_DATA" }, { 0xf, "EV_NONHOST_CODE" },
	{ 0x10, "EV_NONHOST_CONFIG" }, { 0x11, "EV_NONHOST_INFO" },
	{ 0x12, "EV_OMIT_BOOT_DEVICE_EVENTS" },
	{ 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" }, { 0x80000002, "EV_EFI_VARIABLE_BOOT" },
	{ 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
	{ 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
	{ 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" }, { 0x80000006, "EV_EFI_GPT_EVENT" },
	{ 0x80000007, "EV_EFI_ACTION" }, { 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
	{ 0x80000009, "EV_EFI_HANDOFF_TABLES" },
	{ 0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
	{ 0x8000000b, "EV_EFI_HANDOFF_TABLES2" }, { 0x8000000c, "EV_EFI_VARIABLE_BOOT2" },
	{ 0x80000010, "EV_EFI_HCRTM_EVENT" }, { 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
};

const char *eventlog_words(enum eventlog_fault fault)
{
#define FAULT_WORDS(name, words)	words,
	static const char * const words[EVENTLOG_FAULT_COUNT] = {
		"it is well-formed", EVENTLOG_FAULTS(FAULT_WORDS)
	};

	return words[fault];
}

const char *eventlog_type_name(uint32_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

static int hash_index(uint16_t id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++)
		if (hashes[i].id == id)
			return (int)i;
	return -1;
}

const char *eventlog_alg_name(uint16_t id)
{
	int i = hash_index(id);

	return i < 0 ? NULL : hashes[i].name;
}

static uint32_t le(const uint8_t *p, int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

static size_t left(const struct eventlog *log)
{
	return log->len - log->at;
}

bool eventlog_end(const struct eventlog *log)
{
	return !left(log);
}

/* The data, with their length before them. */
static enum eventlog_fault take_data(struct eventlog *log, struct eventlog_event *event)
{
	if (left(log) < 4)
		return EVENTLOG_HEADER;
	event->len = le(log->bytes + log->at, 4);
	if (left(log) - 4 < event->len)
		return EVENTLOG_DATA;
	event->data = log->bytes + log->at + 4;
	log->at += 4 + event->len;
	return EVENTLOG_OK;
}

static const struct eventlog_alg sha1 = { ALG_SHA1, SHA1_SIZE };

/* TCG_PCClientPCREvent: PCR, type, a SHA-1 digest, data. */
static enum eventlog_fault next_sha1(struct eventlog *log, struct eventlog_event *event)
{
	if (left(log) < SHA1_SIZE)
		return EVENTLOG_DIGEST;
	event->digests = 1;
	event->digest[0].alg = &sha1;
	event->digest[0].bytes = log->bytes + log->at;
	log->at += SHA1_SIZE;
	return take_data(log, event);
}

/* One digest of TPML_DIGEST_VALUES. */
static enum eventlog_fault take_digest(struct eventlog *log, struct eventlog_event *event)
{
	unsigned int alg, i;

	if (left(log) < 2)
		return EVENTLOG_HEADER;
	for (alg = 0; alg < log->algs; alg++)
		if (log->alg[alg].id == le(log->bytes + log->at, 2))
			break;
	for (i = 0; i < event->digests; i++)
		if (event->digest[i].alg == &log->alg[alg])
			return EVENTLOG_DIGEST_ALG;
	if (alg == log->algs)
		return EVENTLOG_DIGEST_ALG;
	if (left(log) - 2 < log->alg[alg].size)
		return EVENTLOG_DIGEST;
	event->digest[event->digests].alg = &log->alg[alg];
	event->digest[event->digests++].bytes = log->bytes + log->at + 2;
	log->at += 2 + log->alg[alg].size;
	return EVENTLOG_OK;
}

/* TCG_PCR_EVENT2: PCR, type, a digest for each algorithm, data. */
static enum eventlog_fault next_agile(struct eventlog *log, struct eventlog_event *event)
{
	enum eventlog_fault fault;
	unsigned int i;

	if (left(log) < 4)
		return EVENTLOG_HEADER;
	if (le(log->bytes + log->at, 4) != log->algs)
		return EVENTLOG_DIGEST_COUNT;
	log->at += 4;
	for (i = 0; i < log->algs; i++) {
		fault = take_digest(log, event);
		if (fault)
			return fault;
	}
	return take_data(log, event);
}

enum eventlog_fault eventlog_next(struct eventlog *log, struct eventlog_event *event)
{
	*event = (struct eventlog_event){ .at = log->at };
	if (log->events++ > EVENTLOG_EVENTS)
		return EVENTLOG_MANY;
	if (left(log) < 8)
		return EVENTLOG_HEADER;
	event->pcr = le(log->bytes + log->at, 4);
	event->type = le(log->bytes + log->at + 4, 4);
	/* 0xffffffff is what firmware writes where nothing is extended. */
	if (event->pcr >= EVENTLOG_PCRS && event->type != EV_NO_ACTION)
		return EVENTLOG_PCR;
	log->at += 8;
	return log->agile && event->at ? next_agile(log, event) : next_sha1(log, event);
}

/* Behind the signature: class, versions, errata, word size, then algorithms, then vendor's. */
static enum eventlog_fault read_spec_id(struct eventlog *log, const uint8_t *data, uint32_t len)
{
	uint32_t algs, i, j, at = 28;
	int hash;

	if (len < at)
		return EVENTLOG_SPEC_ID;
	algs = le(data + 24, 4);
	if (!algs || algs > EVENTLOG_ALGS)
		return EVENTLOG_ALG_LIST;
	for (i = 0; i < algs; i++, at += 4) {
		if (len - at < 4)
			return EVENTLOG_SPEC_ID;
		log->alg[i].id = le(data + at, 2);
		log->alg[i].size = le(data + at + 2, 2);
		hash = hash_index(log->alg[i].id);
		if (log->alg[i].size > DIGEST_MAX ||
		    (hash >= 0 && hashes[hash].size != log->alg[i].size))
			return EVENTLOG_ALG_SIZE;
		for (j = 0; j < i; j++)
			if (log->alg[j].id == log->alg[i].id)
				return EVENTLOG_ALG_LIST;
	}
	log->algs = algs;
	if (at >= len || data[at] != len - at - 1)
		return EVENTLOG_SPEC_ID;
	return EVENTLOG_OK;
}

enum eventlog_fault eventlog_open(struct eventlog *log, const uint8_t *bytes, size_t len)
{
	struct eventlog_event event;
	enum eventlog_fault fault;

	*log = (struct eventlog){
		.bytes = bytes, .len = len, .algs = 1, .alg[0] = sha1,
	};
	if (!len)
		return EVENTLOG_EMPTY;
	fault = eventlog_next(log, &event);
	if (fault)
		return fault;
	log->agile = event.type == EV_NO_ACTION && event.len >= sizeof(SPEC_ID) &&
		     !memcmp(event.data, SPEC_ID, sizeof(SPEC_ID));
	log->at = log->events = 0;
	return log->agile ? read_spec_id(log, event.data, event.len) : EVENTLOG_OK;
}

/* The firmware started the TPM at another locality than 0: PCR 0 began with its number. */
static void start_locality(const struct eventlog *log, const struct eventlog_event *event,
			   struct eventlog_pcrs *pcrs)
{
	unsigned int i;

	if (event->len != sizeof(LOCALITY) + 1 || memcmp(event->data, LOCALITY, sizeof(LOCALITY)))
		return;
	for (i = 0; i < log->algs; i++)
		if (!(pcrs->extended[i] & 1))
			pcrs->value[i][0][log->alg[i].size - 1] = event->data[sizeof(LOCALITY)];
}

static void extend(const struct eventlog *log, const struct eventlog_event *event,
		   struct eventlog_pcrs *pcrs)
{
	uint8_t both[2 * DIGEST_MAX];
	unsigned int i, alg, size;
	int hash;

	for (i = 0; i < event->digests; i++) {
		alg = log->agile ? (unsigned int)(event->digest[i].alg - log->alg) : 0;
		hash = hash_index(log->alg[alg].id);
		if (hash < 0)
			continue;
		size = log->alg[alg].size;
		memcpy(both, pcrs->value[alg][event->pcr], size);
		memcpy(both + size, event->digest[i].bytes, size);
		if (EVP_Q_digest(NULL, hashes[hash].openssl, NULL, both, 2 * size,
				 pcrs->value[alg][event->pcr], NULL))
			pcrs->extended[alg] |= 1u << event->pcr;
	}
}

enum eventlog_fault eventlog_replay(const uint8_t *bytes, size_t len, uint8_t dynamic,
				    struct eventlog *log, struct eventlog_pcrs *pcrs)
{
	enum eventlog_fault fault = eventlog_open(log, bytes, len);
	struct eventlog_event event;
	unsigned int i, pcr;

	memset(pcrs, 0, sizeof(*pcrs));
	for (i = 0; i < log->algs; i++)
		for (pcr = 17; pcr < 23; pcr++)
			memset(pcrs->value[i][pcr], dynamic, DIGEST_MAX);
	while (!fault && !eventlog_end(log)) {
		fault = eventlog_next(log, &event);
		if (fault)
			break;
		if (event.type == EV_NO_ACTION)
			start_locality(log, &event, pcrs);
		else
			extend(log, &event, pcrs);
	}
	return fault;
}
