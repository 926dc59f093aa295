// SPDX-License-Identifier: GPL-2.0
/* The two commands (TPM 2.0 Library, part 3, 22.2 and 22.4), over either interface. */
#include "tpm/bus.h"
#include "vmx/base/lib.h"

#define INTERFACE_ID	0x30
#define INTERFACE(id)	((id) & 15)	/* 0: FIFO, 1: CRB, 15: FIFO of TIS 1.3 */
#define DID_VID		0xf00

#define RC_YIELDED	0x908
#define RC_TESTING	0x90a
#define RC_RETRY	0x922

#define TPM_ALG_SHA256	0x000b
/* Offsets in an answer of TPM2_PCR_Read: header, counter, selection, then digests */
#define READ_COUNT	24
#define READ_SIZE	28
#define READ_DIGEST	30

static const u8 extend_command[] = {
	0x80, 0x02, 0, 0, 0, 65, 0, 0, 0x01, 0x82,	/* TPM2_PCR_Extend, with a session */
	0, 0, 0, 0,					/* PCR */
	0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0,	/* an empty password */
	0, 0, 0, 1, 0, TPM_ALG_SHA256,			/* one digest, which follows */
};

static const u8 read_command[] = {
	0x80, 0x01, 0, 0, 0, 20, 0, 0, 0x01, 0x7e,	/* TPM2_PCR_Read */
	0, 0, 0, 1, 0, TPM_ALG_SHA256, 3, 0, 0, 0,	/* one bank, 24 PCRs */
};

enum tpm_result tpm_find(struct tpm *t, volatile u8 *regs, u32 locality)
{
	u32 id, interface;

	*t = (struct tpm){ .regs = regs, .page = TPM_BASE + locality * PAGE_SIZE };
	id = tpm_load32(t, DID_VID);
	if (id == ~0U || !id)
		return TPM_ABSENT;
	interface = INTERFACE(tpm_load32(t, INTERFACE_ID));
	t->crb = interface == 1;
	if (interface && interface != 15 && !(t->crb && crb_usable(t)))
		return TPM_UNKNOWN;
	return TPM_DONE;
}

static void begin(struct tpm *t)
{
	memcpy(t->buffer, t->command, t->sent);
	t->len = t->sent;
	t->at = 0;
	tpm_enter(t, TPM_REQUEST);
}

void tpm_extend(struct tpm *t, u32 pcr, const u8 digest[TPM_DIGEST])
{
	memcpy(t->command, extend_command, sizeof(extend_command));
	t->command[13] = (u8)pcr;
	memcpy(t->command + sizeof(extend_command), digest, TPM_DIGEST);
	t->sent = sizeof(extend_command) + TPM_DIGEST;
	t->retries = 0;
	begin(t);
}

void tpm_read_pcr(struct tpm *t, u32 pcr)
{
	memcpy(t->command, read_command, sizeof(read_command));
	t->command[17 + pcr / 8] = (u8)BIT(pcr % 8);
	t->sent = sizeof(read_command);
	t->retries = 0;
	begin(t);
}

/* An answer without an error: to TPM2_PCR_Read it has the PCR, and the selection as asked. */
static enum tpm_result take(struct tpm *t)
{
	if (t->sent != sizeof(read_command))
		return TPM_DONE;
	if (t->len < READ_SIZE)
		return TPM_MALFORMED;
	if (!tpm_be32(t->buffer + READ_COUNT))
		return TPM_NO_BANK;
	if (t->len != READ_DIGEST + TPM_DIGEST || tpm_be32(t->buffer + READ_COUNT) != 1 ||
	    t->buffer[READ_SIZE] || t->buffer[READ_SIZE + 1] != TPM_DIGEST ||
	    t->buffer[17 + 4] != t->command[17] || t->buffer[18 + 4] != t->command[18] ||
	    t->buffer[19 + 4] != t->command[19])
		return TPM_MALFORMED;
	memcpy(t->pcr, t->buffer + READ_DIGEST, TPM_DIGEST);
	return TPM_DONE;
}

static enum tpm_result answered(struct tpm *t)
{
	t->code = tpm_be32(t->buffer + 6);
	if (!t->code)
		return take(t);
	if ((t->code == RC_RETRY || t->code == RC_YIELDED || t->code == RC_TESTING) &&
	    t->retries++ < TPM_RETRIES) {
		begin(t);
		return TPM_MORE;
	}
	return TPM_FAILED;
}

enum tpm_result tpm_poll(struct tpm *t)
{
	enum tpm_result result;

	if (t->stage == TPM_IDLE)
		return TPM_DONE;
	result = t->crb ? crb_poll(t) : tis_poll(t);
	if (result == TPM_DONE)
		result = answered(t);
	else if (result == TPM_MORE && ++t->polls > TPM_POLLS)
		result = t->stage == TPM_REQUEST ? TPM_HELD : TPM_HUNG;
	if (result == TPM_MORE)
		return TPM_MORE;
	t->stuck = t->stage;
	if (t->crb)
		crb_release(t);
	else
		tis_release(t);
	t->stage = TPM_IDLE;
	return result;
}
