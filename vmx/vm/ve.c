// SPDX-License-Identifier: GPL-2.0
/*
 * Virtualization exceptions (SDM vol. 3, 26.5.7; TDX Module ABI, "TDG.VP.VEINFO.GET").
 * The guest gets one only where it reaches, with the shared bit, what is no memory of
 * its own: devices.  Everything else is filled, or ends the VM.
 */
#include "vmx/vm/ghci.h"
#include "vmx/vm/exits.h"
#include "vmx/base/asm.h"
#include "vmx/cpu/event.h"
#include "vmx/vm/vm.h"
#include "ept/binding.h"
#include "ept/protected.h"

static enum ve_end end(struct vcpu *v, const char *why)
{
	vm_kill(v->vm, why);
	return VE_HOST;
}

/* A second one before the first was read, or while an event is delivered, is a double fault. */
static enum ve_end raise(struct vcpu *v, u64 gpa, u64 qual)
{
	u32 vectoring = (u32)vmread(VMCS_IDT_VECTORING_INFO);

	if ((vectoring & INTR_VALID) && INTR_TYPE(vectoring) == INTR_TYPE_HARD_EXC &&
	    INTR_VECTOR(vectoring) == VEC_DF)
		return end(v, "triple fault: #VE within a double fault");
	if (v->ghci.ve || (vectoring & INTR_VALID)) {
		inject_exception(VEC_DF, true, 0);
		return VE_DONE;
	}
	v->ghci.ve = true;
	v->ghci.ve_qual = qual & MASK(8, 0);
	v->ghci.ve_gla = qual & EPT_VIOL_GLA_VALID ? vmread(VMCS_GUEST_LINEAR) : 0;
	v->ghci.ve_gpa = gpa;
	inject_exception(VEC_VE, false, 0);
	protect_windows(v);	/* none for an NMI until it is read */
	return VE_DONE;
}

enum ve_end ve_violation(struct vcpu *v, u64 gpa, u64 qual)
{
	bool shared = gpa & shared_bit();

	if (shared && qual & EPT_VIOL_EXEC)
		return end(v, "execution of memory that it shares");
	switch (vm_address(&v->vm->own, gpa)) {
	case VM_ADDRESS_UNBOUND:
		return shared ? raise(v, gpa, qual) :
				end(v, "private access where it has no memory");
	case VM_ADDRESS_PRIVATE:
		return shared ? end(v, "shared access to a private page") : VE_PRIVATE;
	case VM_ADDRESS_SHARED:
		return shared ? VE_DONE : end(v, "private access to a page that it shares");
	default:
		break;
	}
	if (!shared)
		return VE_PRIVATE;
	ghci_turn(v);
	return VE_HOST;
}
