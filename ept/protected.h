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

#endif /* EPT_PROTECTED_H */
