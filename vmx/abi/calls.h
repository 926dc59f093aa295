/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every operation of VMCALL, one row each: its number and its function; before it what
 * docs/abi.md says (tests/gates/abi): arguments and results, and errors besides EINVAL.
 * No include guard: a user defines UP_HOST_OP() and UP_GUEST_OP(), includes this file,
 * and gets what it asked for.  Numbers are never used again for something else.
 */
/*
 * rbx = page for `struct up_status`, rcx = CPU number
 */
UP_HOST_OP(STATUS, 0x00, call_status)

/*
 * this CPU returns to root mode; NMIs are blocked from the first call on until IRET
 * errors: `EAGAIN`: call again, NMIs are blocked now; `EBUSY`: not prepared, or a VM
 * exists; `EPERM`: the host is in VMX operation on this CPU; `EIO`: a VT-d unit does not obey
 */
UP_HOST_OP(LEAVE, 0x01, call_leave)

/*
 * drop this CPU's translations → rbx = epoch reached, rcx = frames that the pool should be
 * given before it is short (0: enough)
 */
UP_HOST_OP(FLUSH, 0x02, call_flush)

/*
 * rbx = page, rcx = position → rbx = bytes, rcx = next position
 */
UP_HOST_OP(LOG, 0x03, call_log)

/*
 * rbx = page with a list of frame numbers, rcx = count (to 512) → rbx = done
 * errors: `ENOENT`: not RAM; `EPERM`: not the host's
 */
UP_HOST_OP(POOL_DONATE, 0x04, call_pool_donate)

/*
 * rbx = 1: no new VM from here on; 0: go on after all
 * errors: `EBUSY`: a VM exists
 */
UP_HOST_OP(LEAVE_PREPARE, 0x06, call_leave_prepare)

/*
 * rbx = page for `struct up_launch_proof`, with a nonce: the launch's key signs for it
 * errors: `EAGAIN`: call again, with the same nonce; `EPERM`: this launch has no key
 */
UP_HOST_OP(SIGN, 0x07, call_sign)

/*
 * rbx = 0: the launch's events go into PCR 19; 1, while leaving: its end; one look at the TPM
 * a call
 * errors: `EAGAIN`: call again, later; `EBUSY`: leaving is not prepared; `EIO`: no other event
 * will come, `struct up_status` says why
 */
UP_HOST_OP(TPM, 0x08, call_tpm)

/*
 * rbx = page for 32 bytes that nobody foresees: a ticket that is good here names them
 * errors: `EPERM`: the processor has no random numbers
 */
UP_HOST_OP(CHALLENGE, 0x09, call_challenge)

/*
 * rbx = 0 (flags) → rbx = id
 * errors: `EPERM`: the layer is leaving; `ENXIO`: no IOMMU keeps devices from its memory;
 * `ENOSPC`: 64 VMs; `ENOMEM`
 */
UP_HOST_OP(VM_CREATE, 0x10, call_vm_create)

/*
 * rbx = id, rcx = page with `struct up_donation[]`, rdx = count (to 256) → rbx = done
 * errors: `ENOENT`: no such VM, or not RAM; `EPERM`: not the host's frame, or more than the
 * VM's ticket grants; `EEXIST`: the guest frame is bound; `EBUSY`: being measured, or dead;
 * `ENOMEM`
 */
UP_HOST_OP(VM_DONATE, 0x11, call_vm_donate)

/*
 * rbx = id: the VMCS current on this CPU becomes its next vCPU → rbx = index
 * errors: `ENOENT`: no such VM, no current VMCS; `EBUSY`: too late; `ENOSPC`: 64 vCPUs;
 * `EEXIST`: bound already; `ENOMEM`
 */
UP_HOST_OP(VM_BIND_VCPU, 0x12, call_vm_bind_vcpu)

/*
 * rbx = id; `UP_EAGAIN` until done → rbx = frames done
 * errors: `ENOENT`: no such VM, or no vCPU; `EBUSY`: measured already, or dead; `EPERM`: it has
 * no ticket that is for it, the log says why; it may get one, and be measured to the end
 */
UP_HOST_OP(VM_MEASURE, 0x13, call_vm_measure)

/*
 * rbx = id: it never runs again
 * errors: `ENOENT`
 */
UP_HOST_OP(VM_KILL, 0x14, call_vm_kill)

/*
 * rbx = id, rcx = page for a list, rdx = room (to 512) → rbx = zeroed frames returned; 0
 * with rax = 0: all are back
 * errors: `ENOENT`; `EBUSY`: not dead
 */
UP_HOST_OP(VM_RECLAIM, 0x15, call_vm_reclaim)

/*
 * rbx = id, after all frames are back
 * errors: `ENOENT`; `EBUSY`: not dead, frames bound, or another CPU holds a vCPU's VMCS
 */
UP_HOST_OP(VM_DESTROY, 0x16, call_vm_destroy)

/*
 * rbx = id, rcx = page for `struct up_vm_info`
 * errors: `ENOENT`
 */
UP_HOST_OP(VM_INFO, 0x17, call_vm_info)

/*
 * rbx = id, rcx = page for `struct up_vm_proof`, with the asker's 64 bytes: the launch's key
 * signs what the layer knows of the VM
 * errors: `ENOENT`; `EAGAIN`: call again, with the same bytes; `EPERM`: there is no key
 */
UP_HOST_OP(VM_REPORT, 0x18, call_vm_report)

/*
 * rbx = id, rcx = page with `struct up_ticket`: what lets the VM be measured to the end
 * errors: `ENOENT`; `EAGAIN`: call again, with the same ticket; `EBUSY`: measured already, or
 * dead; `EPERM`: the ticket is not good here and now, the log says why
 */
UP_HOST_OP(VM_TICKET, 0x19, call_vm_ticket)

/* From a protected VM, CPL 0. */

/*
 * → rax = 0, rbx = `UP_ABI_VERSION`
 */
UP_GUEST_OP(PRESENT, 0x80, guest_present)

/*
 * rbx = guest frame, rcx = count (1 to 16): the host may see these; zeroed first
 * errors: `ENOENT`: unbound; `EBUSY`: shared already; `EAGAIN`; `EPERM`: behind GHCI
 */
UP_GUEST_OP(SHARE, 0x81, guest_share)

/*
 * rbx = guest frame, rcx = count (1 to 16): private again, zeroed
 * errors: `ENOENT`; `EBUSY`; `EAGAIN`: until every CPU has flushed; `EPERM`: behind GHCI
 */
UP_GUEST_OP(UNSHARE, 0x82, guest_unshare)

/*
 * rbx = index 0 to 7, rcx = address of 32 bytes in one private page
 * errors: `EEXIST`: each report is made once
 */
UP_GUEST_OP(REPORT, 0x83, guest_report)

/*
 * rbx = guest frame: from here on the VM speaks the GHCI (docs/guest.md); what it shares it
 * reaches by the alias alone, and this frame first, for the host's KVM → rbx = vCPUs
 * errors: `ENOENT`: unbound; `EEXIST`: done already; `EBUSY`: something is shared; `EAGAIN`
 */
UP_GUEST_OP(GHCI, 0x84, guest_ghci)

/*
 * rbx = address of 64 bytes, rcx = address of room for `struct up_vm_proof`, each within one
 * private page: the VM's own report, signed
 * errors: `EAGAIN`: call again, with the same bytes; `EPERM`: there is no key
 */
UP_GUEST_OP(ATTEST, 0x85, guest_attest)

#undef UP_HOST_OP
#undef UP_GUEST_OP
