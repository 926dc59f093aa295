/* SPDX-License-Identifier: GPL-2.0 */
/* A played TPM: tests/unit/fake/tpm.c. */
#ifndef FAKE_TPM_H
#define FAKE_TPM_H

#include "vmx/base/types.h"

enum fake_fault {
	FAKE_WELL,
	FAKE_HELD,	/* another locality has it */
	FAKE_DEAF,	/* it is never ready for a command */
	FAKE_FULL,	/* it takes no byte of it */
	FAKE_HANGS,	/* it has the command, and says nothing */
	FAKE_REFUSES,	/* TPM_RC_FAILURE */
	FAKE_BUSY,	/* it asks for the command again, for ever */
	FAKE_LONG,	/* an answer longer than any may be */
	FAKE_SHORT,	/* one that is shorter than its header */
	FAKE_NO_BANK,	/* it keeps no SHA-256 PCRs */
};

extern struct fake_tpm {
	bool present;
	enum fake_fault fault;
	u32 from;	/* the command it begins with: 1 reads, 2 to 5 extend, 6 is the end's */
	u32 commands;	/* that were answered, or swallowed */
	u32 slow;	/* looks until it has answered */
	u8 pcr[32];	/* PCR 19 */
	u32 extends, looks;
	bool wrong;	/* an extend of another PCR, or of another length */
} fake_tpm;

/* There, well, and PCR 19 of these bytes. */
void fake_tpm_reset(u8 pcr);

#endif
