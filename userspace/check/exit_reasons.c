// SPDX-License-Identifier: GPL-2.0
/* Names of VMX basic exit reasons (SDM vol. 3, appendix C). */
#include <stdio.h>
#include "userspace/cli/cli.h"
#include "userspace/check/exit_reasons.h"

static const char * const names[] = {
	[0] = "exception-or-nmi", [1] = "external-interrupt", [2] = "triple-fault",
	[3] = "init", [4] = "sipi", [5] = "io-smi", [6] = "other-smi",
	[7] = "interrupt-window", [8] = "nmi-window", [9] = "task-switch", [10] = "cpuid",
	[11] = "getsec", [12] = "hlt", [13] = "invd", [14] = "invlpg", [15] = "rdpmc",
	[16] = "rdtsc", [17] = "rsm", [18] = "vmcall", [19] = "vmclear", [20] = "vmlaunch",
	[21] = "vmptrld", [22] = "vmptrst", [23] = "vmread", [24] = "vmresume",
	[25] = "vmwrite", [26] = "vmxoff", [27] = "vmxon", [28] = "cr-access",
	[29] = "dr-access", [30] = "io", [31] = "rdmsr", [32] = "wrmsr",
	[33] = "entry-failed-guest-state", [34] = "entry-failed-msr-load", [36] = "mwait",
	[37] = "monitor-trap", [39] = "monitor", [40] = "pause",
	[41] = "entry-failed-machine-check", [43] = "tpr-below-threshold",
	[44] = "apic-access", [45] = "eoi-induced", [46] = "gdtr-idtr-access",
	[47] = "ldtr-tr-access", [48] = "ept-violation", [49] = "ept-misconfiguration",
	[50] = "invept", [51] = "rdtscp", [52] = "preemption-timer", [53] = "invvpid",
	[54] = "wbinvd", [55] = "xsetbv", [56] = "apic-write", [57] = "rdrand",
	[58] = "invpcid", [59] = "vmfunc", [60] = "encls", [61] = "rdseed",
	[62] = "pml-full", [63] = "xsaves", [64] = "xrstors", [65] = "pconfig",
	[66] = "spp", [67] = "umwait", [68] = "tpause", [69] = "loadiwkey",
	[70] = "enclv", [72] = "enqcmd-pasid", [73] = "enqcmds-pasid", [74] = "bus-lock",
	[75] = "instruction-timeout", [76] = "seamcall", [77] = "tdcall",
};

const char *exit_reason_name(unsigned int reason)
{
	static char other[16];

	if (reason < ARRAY_SIZE(names) && names[reason])
		return names[reason];
	snprintf(other, sizeof(other), "reason-%u", reason);
	return other;
}
