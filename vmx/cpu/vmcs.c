// SPDX-License-Identifier: GPL-2.0
/* The VMCS field table as data (vmx/cpu/vmcs_fields.h). */
#include "vmx/cpu/vmcs.h"

const struct vmcs_field vmcs_field[NR_VMCS_ROWS] = {
#define VMCS_FIELD(name, enc, exists, class, sync, see, set) \
	{ enc, EXISTS_##exists, CLASS_##class, SYNC_##sync, SEE_##see, SET_##set },
#include "vmx/cpu/vmcs_fields.h"
};
