/* SPDX-License-Identifier: GPL-2.0 */
/* Encodings of VMCS fields, from the layer's own table. */
#ifndef ATTACK_VMCS_ENC_H
#define ATTACK_VMCS_ENC_H

enum vmcs_encoding {
#define VMCS_FIELD(name, enc, exists, class, sync, see, set) ENC_##name = enc,
#include "vmx/cpu/vmcs_fields.h"
};

#endif /* ATTACK_VMCS_ENC_H */
