/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The launch in PCR 19, at locality 2 (docs/attestation.md): four events, and one when the
 * layer leaves.  A TPM takes its time: the host calls until all is done, and each call looks
 * at the TPM once.
 */
#ifndef VMX_PCR_H
#define VMX_PCR_H

#include "vmx/abi/call.h"
#include "vmx/base/types.h"

/** pcr_init() - what is launched, and is there a TPM?  Launch, first CPU, behind all others */
void pcr_init(void);

/**
 * pcr_extend() - go on
 * @end: to the event of leaving; else to those of the launch
 *
 * Return: 0: all is done; -UP_EAGAIN: call again; -UP_EIO: it will not be, see pcr_status().
 */
long pcr_extend(bool end);

/** pcr_status() - events that are in PCR 19, and an enum up_tpm that says what keeps others out */
void pcr_status(struct up_status *out);

/* launch_settings - what the layer was launched with */
extern struct up_settings launch_settings;

/* launch_iommu - what was promised of devices then */
extern enum up_iommu_state launch_iommu;

#endif /* VMX_PCR_H */
