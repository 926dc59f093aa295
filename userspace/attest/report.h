/* SPDX-License-Identifier: GPL-2.0 */
/* What the layer signs about a VM (docs/attestation.md), as bytes of whatever machine. */
#ifndef ATTEST_REPORT_H
#define ATTEST_REPORT_H

#include "userspace/attest/attest.h"
#include "vmx/abi/call.h"

#define REPORT_SIZE	sizeof(struct up_vm_report)

/** report_u32() - a field of four bytes, at an offset of struct up_vm_report */
uint32_t report_u32(const uint8_t report[REPORT_SIZE], size_t offset);

/** report_wrong() - NULL, or why this is none of the layer's reports */
const char *report_wrong(const uint8_t report[REPORT_SIZE]);

/** report_state() - "runnable" */
const char *report_state(const uint8_t report[REPORT_SIZE]);

/* A field of bytes. */
#define REPORT_BYTES(report, field)	((report) + offsetof(struct up_vm_report, field))
#define REPORT_U32(report, field)	report_u32(report, offsetof(struct up_vm_report, field))

#endif /* ATTEST_REPORT_H */
