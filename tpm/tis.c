// SPDX-License-Identifier: GPL-2.0
/* The FIFO interface, known as TIS (PC Client Platform TPM Profile, 6.5.2). */
#include "tpm/bus.h"

#define ACCESS		0x00
#define ACCESS_VALID	BIT(7)
#define ACCESS_ACTIVE	BIT(5)	/* written: let go */
#define ACCESS_REQUEST	BIT(1)

#define STS		0x18
#define STS_VALID	BIT(7)
#define STS_READY	BIT(6)	/* written: forget what was, be ready */
#define STS_GO		BIT(5)
#define STS_DATA	BIT(4)
#define STS_EXPECT	BIT(3)
#define STS_BURST(sts)	((sts) >> 8 & 0xffff)

#define FIFO		0x24
#define HEADER		10	/* tag, size, code */

static enum tpm_result request(struct tpm *t)
{
	u8 access = tpm_load8(t, ACCESS);

	if (!(access & ACCESS_VALID) || !(access & ACCESS_ACTIVE)) {
		tpm_store8(t, ACCESS, ACCESS_REQUEST);
		return TPM_MORE;
	}
	tpm_store8(t, STS, STS_READY);
	return tpm_enter(t, TPM_READY);
}

static enum tpm_result ready(struct tpm *t, u32 sts)
{
	if (sts & STS_READY)
		return tpm_enter(t, TPM_SEND);
	/* A TPM that had something to give away yet takes a second time. */
	tpm_store8(t, STS, STS_READY);
	return TPM_MORE;
}

/* As much as it takes at once. It expects more until the last byte, and none after it. */
static enum tpm_result send(struct tpm *t, u32 sts)
{
	u32 n = STS_BURST(sts);
	bool more = t->at < t->len;

	/* Before the first byte nothing is expected, and "valid" is of no use. */
	if (t->at && !(sts & STS_VALID))
		return TPM_MORE;
	if (t->at && more != !!(sts & STS_EXPECT))
		return TPM_MALFORMED;
	if (!more) {
		tpm_store8(t, STS, STS_GO);
		return tpm_enter(t, TPM_EXECUTE);
	}
	for (; n && t->at < t->len; n--)
		tpm_store8(t, FIFO, t->buffer[t->at++]);
	return TPM_MORE;
}

static enum tpm_result execute(struct tpm *t, u32 sts)
{
	if (!(sts & STS_VALID) || !(sts & STS_DATA))
		return TPM_MORE;
	t->at = 0;
	t->len = HEADER;
	return tpm_enter(t, TPM_RECEIVE);
}

/* The header says how long the rest is. */
static enum tpm_result receive(struct tpm *t, u32 sts)
{
	u32 n = STS_BURST(sts);
	bool more = t->at < t->len;

	if (!(sts & STS_VALID))
		return TPM_MORE;
	if (more != !!(sts & STS_DATA))
		return TPM_MALFORMED;
	if (!more)
		return TPM_DONE;
	for (; n && t->at < t->len; n--) {
		t->buffer[t->at++] = tpm_load8(t, FIFO);
		if (t->at != HEADER)
			continue;
		t->len = tpm_be32(t->buffer + 2);
		if (t->len < HEADER || t->len > sizeof(t->buffer))
			return TPM_MALFORMED;
	}
	return TPM_MORE;
}

enum tpm_result tis_poll(struct tpm *t)
{
	switch (t->stage) {
	case TPM_REQUEST:
		return request(t);
	case TPM_READY:
		return ready(t, tpm_load32(t, STS));
	case TPM_SEND:
		return send(t, tpm_load32(t, STS));
	case TPM_EXECUTE:
		return execute(t, tpm_load32(t, STS));
	default:
		return receive(t, tpm_load32(t, STS));
	}
}

void tis_release(struct tpm *t)
{
	tpm_store8(t, STS, STS_READY);
	tpm_store8(t, ACCESS, ACCESS_ACTIVE);
}
