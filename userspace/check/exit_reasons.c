// SPDX-License-Identifier: GPL-2.0
/* Names of VMX basic exit reasons (SDM vol. 3, appendix C). */
#include <stdio.h>
#include "userspace/cli/cli.h"
#include "userspace/check/exit_reasons.h"

static const char * const names[] = {
#define EXIT_REASON(name, number, text) [number] = text,
#include "vmx/abi/exit_reasons.h"
};

const char *exit_reason_name(unsigned int reason)
{
	static char other[16];

	if (reason < ARRAY_SIZE(names) && names[reason])
		return names[reason];
	snprintf(other, sizeof(other), "reason-%u", reason);
	return other;
}
