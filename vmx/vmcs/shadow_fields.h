/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the shadow VMCS holds of a VMCS12: the fields that KVM touches in most exits of
 * a VM.  No include guard: a user defines SHADOW_FIELD(), as of vmx/cpu/vmcs_fields.h.
 *
 * SHADOW_FIELD(name, access)
 *
 *  access  READ   L1's VMREAD is hardware's: exit information
 *	    WRITE  its VMWRITE, too: anything else, without upper half (encoding + 1)
 *
 * A READ field costs a comparison at each exit to L1, a WRITE field a VMREAD at each
 * entry besides; an exit of L1's that is saved is some 40 of either.
 */
SHADOW_FIELD(EXIT_REASON,		READ)
SHADOW_FIELD(EXIT_QUAL,			READ)
SHADOW_FIELD(EXIT_INTR_INFO,		READ)
SHADOW_FIELD(EXIT_INSN_LEN,		READ)
SHADOW_FIELD(IDT_VECTORING_INFO,	READ)
SHADOW_FIELD(GUEST_PHYS_ADDR,		READ)
SHADOW_FIELD(GUEST_CS_BASE,		WRITE)
SHADOW_FIELD(GUEST_SS_AR,		WRITE)
SHADOW_FIELD(GUEST_RFLAGS,		WRITE)
SHADOW_FIELD(GUEST_INTERRUPTIBILITY,	WRITE)
SHADOW_FIELD(GUEST_RIP,			WRITE)
SHADOW_FIELD(GUEST_RSP,			WRITE)
SHADOW_FIELD(ENTRY_INTR_INFO,		WRITE)
SHADOW_FIELD(TPR_THRESHOLD,		WRITE)
SHADOW_FIELD(PREEMPTION_TIMER,		WRITE)
SHADOW_FIELD(HOST_RSP,			WRITE)
#undef SHADOW_FIELD
