/* SPDX-License-Identifier: GPL-2.0 */
/* Tables that stand for KVM's, for VMs that are not protected (ept/shadow.c). */
#ifndef EPT_SHADOW_H
#define EPT_SHADOW_H

#include "ept/vm_ept.h"
#include "ept/walk.h"

/**
 * shadow_get() - the layer's table that stands for KVM's EPTP12, for an unprotected VM
 * @eptp12: as in the VMCS12, already checked for format
 *
 * Call it before every VM entry of an unprotected VM: cheap when nothing
 * changed.  The table belongs to @eptp12 until this CPU asks for another one
 * (or leaves VMX operation), so don't keep the pointer across entries.
 * Return: table (a new one is empty: it fills on violations), or NULL: pool empty
 */
struct vm_ept *shadow_get(u64 eptp12);

/** shadow_cpu_off() - the host left VMX operation on this CPU: the last one frees all tables */
void shadow_cpu_off(void);

/** shadow_invept() - KVM executed INVEPT: type 1 for @eptp12, type 2 for all */
void shadow_invept(u64 type, u64 eptp12);

/*
 * The rest is for ept/ alone.  All hold frames_lock.
 */

/**
 * shadow_fill() - map what the walk of KVM's table found
 * EPT_NOMEM: nothing else to recycle; run the host, then try again.
 */
enum ept_result shadow_fill(struct vm_ept *t, const struct ept_walk *w, u64 gpa);

/**
 * shadow_shrink() - @t is in use, and gives its tables back
 * Return: true if at once; false: others use it, too, and have to flush first
 */
bool shadow_shrink(struct vm_ept *t);

/**
 * shadow_reclaim() - free some frames of the shadow table that was not used longest
 * Return: false when every table is in use
 */
bool shadow_reclaim(void);

/**
 * shadow_shrink_all() - free tables that are in use too
 * Only while this CPU runs the host.  What other CPUs use is free after a flush.
 */
void shadow_shrink_all(void);

/** table_alloc() - pool_alloc() with shadow_reclaim() behind it */
u64 table_alloc(void);

/**
 * table_alloc_kvm() - table_alloc() for what KVM cannot do without (ept/pool.h)
 * Only while this CPU runs the host.
 */
u64 table_alloc_kvm(void);

#endif /* EPT_SHADOW_H */
