/* SPDX-License-Identifier: GPL-2.0 */
/* A played TPM: tests/unit/fake/tpm.c. */
#ifndef FAKE_TPM_H
#define FAKE_TPM_H

#include "vmx/base/types.h"

extern struct fake_tpm {
	bool present, held, hangs;
	u32 slow;	/* looks until it has answered */
	u32 fails;	/* the extend of this number, from 1 on, is refused */
	u8 pcr[32];	/* PCR 19 */
	u32 extends, looks;
	bool wrong;	/* an extend of another PCR, or of another length */
} fake_tpm;

/* There, well, and PCR 19 of these bytes. */
void fake_tpm_reset(u8 pcr);

#endif
