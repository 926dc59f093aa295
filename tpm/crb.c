// SPDX-License-Identifier: GPL-2.0
/* The command response buffer interface (PC Client Platform TPM Profile, 6.5.3). */
#include "tpm/bus.h"

#define LOC_CONTROL	0x08
#define LOC_REQUEST	BIT(0)
#define LOC_RELINQUISH	BIT(1)
#define LOC_STATUS	0x0c
#define LOC_GRANTED	BIT(0)

#define CONTROL		0x40
#define CONTROL_READY	BIT(0)
#define CONTROL_IDLE	BIT(1)
#define STATUS		0x44
#define STATUS_ERROR	BIT(0)
#define STATUS_IDLE	BIT(1)
#define CANCEL		0x48
#define START		0x4c
#define COMMAND_SIZE	0x58
#define COMMAND_LOW	0x5c
#define COMMAND_HIGH	0x60
#define ANSWER_SIZE	0x64
#define ANSWER_LOW	0x68
#define ANSWER_HIGH	0x6c
#define DATA		0x80
#define HEADER		10

bool crb_usable(const struct tpm *t)
{
	u32 low = (u32)t->page + DATA, high = (u32)(t->page >> 32);

	return tpm_load32(t, COMMAND_LOW) == low && tpm_load32(t, COMMAND_HIGH) == high &&
	       tpm_load32(t, ANSWER_LOW) == low && tpm_load32(t, ANSWER_HIGH) == high &&
	       tpm_load32(t, COMMAND_SIZE) >= sizeof(t->buffer) &&
	       tpm_load32(t, ANSWER_SIZE) >= sizeof(t->buffer);
}

static enum tpm_result request(struct tpm *t)
{
	if (!(tpm_load32(t, LOC_STATUS) & LOC_GRANTED)) {
		tpm_store32(t, LOC_CONTROL, LOC_REQUEST);
		return TPM_MORE;
	}
	tpm_store32(t, CONTROL, CONTROL_READY);
	return tpm_enter(t, TPM_READY);
}

/* What was requested is cleared when it is so. */
static enum tpm_result ready(struct tpm *t)
{
	if (tpm_load32(t, CONTROL) & CONTROL_READY || tpm_load32(t, STATUS) & STATUS_IDLE)
		return TPM_MORE;
	for (t->at = 0; t->at < t->len; t->at++)
		tpm_store8(t, DATA + t->at, t->buffer[t->at]);
	tpm_store32(t, CANCEL, 0);
	tpm_store32(t, START, 1);
	return tpm_enter(t, TPM_EXECUTE);
}

static enum tpm_result execute(struct tpm *t)
{
	if (tpm_load32(t, START))
		return TPM_MORE;
	if (tpm_load32(t, STATUS) & STATUS_ERROR)
		return TPM_MALFORMED;
	for (t->at = 0; t->at < sizeof(t->buffer); t->at++)
		t->buffer[t->at] = tpm_load8(t, DATA + t->at);
	t->len = tpm_be32(t->buffer + 2);
	return t->len < HEADER || t->len > sizeof(t->buffer) ? TPM_MALFORMED : TPM_DONE;
}

enum tpm_result crb_poll(struct tpm *t)
{
	if (t->stage == TPM_REQUEST)
		return request(t);
	return t->stage == TPM_READY ? ready(t) : execute(t);
}

void crb_release(struct tpm *t)
{
	if (tpm_load32(t, START))
		tpm_store32(t, CANCEL, 1);
	tpm_store32(t, CONTROL, CONTROL_IDLE);
	tpm_store32(t, LOC_CONTROL, LOC_RELINQUISH);
}
