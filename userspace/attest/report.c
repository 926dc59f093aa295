// SPDX-License-Identifier: GPL-2.0
/* Fields of a report about a VM. */
#include <string.h>
#include "userspace/attest/report.h"

uint32_t report_u32(const uint8_t report[REPORT_SIZE], size_t offset)
{
	const uint8_t *p = report + offset;

	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

const char *report_wrong(const uint8_t report[REPORT_SIZE])
{
	if (memcmp(report, "UPREPORT", 8))
		return "the VM's report is of another kind: its magic is not UPREPORT";
	if (REPORT_U32(report, version) != UP_VM_REPORT_VERSION)
		return "the VM's report has a version that this program does not know";
	if (REPORT_U32(report, reserved) ||
	    REPORT_U32(report, vm_flags) & ~(uint32_t)(UP_VM_GHCI | UP_VM_ASKED))
		return "the VM's report says something that this program does not know";
	return NULL;
}

const char *report_state(const uint8_t report[REPORT_SIZE])
{
	static const char * const words[] = {
		[UP_VM_NONE] = "none", [UP_VM_BUILDING] = "building",
		[UP_VM_MEASURING] = "measuring", [UP_VM_RUNNABLE] = "runnable",
		[UP_VM_DEAD] = "dead",
	};
	uint32_t state = REPORT_U32(report, state);

	return state < sizeof(words) / sizeof(words[0]) ? words[state] : "unknown";
}
