/* SPDX-License-Identifier: GPL-2.0 */
/* A protected VM's table: its binding (ept/protected.c). */
#ifndef EPT_PROTECTED_H
#define EPT_PROTECTED_H

#include "ept/vm_ept.h"
#include "ept/walk.h"

/**
 * vm_ept_create() - a protected VM's table: made and freed with the VM
 * Return: NULL when the pool is empty
 */
struct vm_ept *vm_ept_create(struct owner *o);

/**
 * vm_ept_destroy() - free it, after all frames are back, or before any came
 * Return: 0; -UP_EAGAIN more to do: call again; -UP_EBUSY frames are bound
 */
int vm_ept_destroy(struct vm_ept *t);

/**
 * vm_fill() - the stored mapping of @gpa, whatever the walk of KVM's table found
 * Holds frames_lock.
 */
enum ept_result vm_fill(struct owner *o, const struct ept_walk *w, u64 gpa);

/* What a guest-physical address is to a VM that reaches shared frames through aliases. */
enum vm_address {
	VM_ADDRESS_UNBOUND,	/* no frame is there */
	VM_ADDRESS_PRIVATE,
	VM_ADDRESS_SHARED,
	VM_ADDRESS_CHANGING,	/* on the way from one to the other, or nothing to map it with */
};

/**
 * vm_address() - what the frame behind @gpa is, with or without the shared bit
 *
 * With it, and shared, the alias is mapped then: readable, writable, write-back, never
 * executable.  Takes frames_lock.
 */
enum vm_address vm_address(struct owner *o, u64 gpa);

#endif /* EPT_PROTECTED_H */
