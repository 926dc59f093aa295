/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TPM 2.0 behind registers: PCRs are extended and read, and nothing else.
 *
 * TCG PC Client Platform TPM Profile 1.05, section 6: a page of registers a locality, of
 * a FIFO (TIS) or a command buffer (CRB).  A TPM takes its time, up to seconds, and may
 * hang: a command is begun, and tpm_poll() looks once whether it is further.  The TPM is
 * believed about its own PCRs and about nothing else: what it says is copied and bounded.
 */
#ifndef TPM_TPM_H
#define TPM_TPM_H

#include "vmx/base/types.h"

#define TPM_BASE	0xfed40000ULL
#define TPM_LOCALITIES	5
#define TPM_LOCALITY	2	/* of the layer */
#define TPM_DIGEST	32	/* of SHA-256, the one bank that is used */
#define TPM_POLLS	20000	/* for one stage of a command: then it counts as hung */
#define TPM_RETRIES	8	/* of a command that the TPM asks to be sent again */

enum tpm_result {
	TPM_MORE,	/* call tpm_poll() again, at leisure */
	TPM_DONE,
	TPM_ABSENT,	/* nothing answers at its registers */
	TPM_UNKNOWN,	/* its interface is neither FIFO nor a CRB in its own page */
	TPM_HELD,	/* another locality does not let go */
	TPM_HUNG,	/* it does not answer */
	TPM_MALFORMED,	/* its answer has another form than it must have */
	TPM_FAILED,	/* it refused: @code says why */
	TPM_NO_BANK,	/* it keeps no SHA-256 PCRs */
};

enum tpm_stage {
	TPM_IDLE, TPM_REQUEST, TPM_READY, TPM_SEND, TPM_EXECUTE, TPM_RECEIVE, TPM_STAGES
};

struct tpm {
	volatile u8 *regs;	/* of this locality's page */
	u64 page;		/* its address */
	bool crb;
	enum tpm_stage stage;
	enum tpm_stage stuck;	/* where it was when it was held or hung */
	u32 polls;		/* in this stage */
	u32 retries;
	u32 code;		/* TPM 2.0 Library, part 2, 6.6 */
	u32 at, len;		/* in the buffer */
	u32 sent;		/* the command's own length */
	u8 buffer[80];
	u8 command[65];		/* kept for a retry */
	u8 pcr[TPM_DIGEST];	/* what tpm_read_pcr() read */
};

/* One caller at a time; nothing here sleeps, waits or loops on what the TPM says. */

/**
 * tpm_find() - is there a TPM, and of which interface?
 * @regs: the page of @locality, mapped uncached
 *
 * Return: TPM_DONE, TPM_ABSENT or TPM_UNKNOWN.
 */
enum tpm_result tpm_find(struct tpm *t, volatile u8 *regs, u32 locality);

/** tpm_extend() - begin: PCR @pcr = SHA-256(PCR, @digest), in its SHA-256 bank */
void tpm_extend(struct tpm *t, u32 pcr, const u8 digest[TPM_DIGEST]);

/** tpm_read_pcr() - begin: @t->pcr = PCR @pcr, below 24 */
void tpm_read_pcr(struct tpm *t, u32 pcr);

/**
 * tpm_poll() - one look at the TPM, and what can be done after it
 *
 * Return: TPM_MORE, or how the command ended; the locality is released then.
 */
enum tpm_result tpm_poll(struct tpm *t);

#endif /* TPM_TPM_H */
