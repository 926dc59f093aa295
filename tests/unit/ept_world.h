/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small machine around ept/: RAM, CPUs with TLBs that forget only what they
 * must, a demoted host with a KVM that has two ordinary VMs, three protected
 * VMs; and beside it a slow and obvious model of who owns what.  Each w_*()
 * performs one event on the real code and on the model, and compares.
 */
#ifndef EPT_WORLD_H
#define EPT_WORLD_H

#include "ept_includes.h"

#define CPUS		3
#define FRAMES		4096ULL		/* 16 MiB of physical memory, */
#define HOLE_START	3072ULL		/* 4 MiB of which is no RAM, */
#define HOLE_END	4096ULL
#define TABLE_FRAMES	FRAMES
#define LAYER_START	512ULL		/* and 2 MiB and a bit the layer's */
#define LAYER_END	1034ULL
#define PVMS		3		/* protected VMs */
#define SHADOWS		2		/* ordinary VMs */
#define MAXPHYADDR	39

enum gla { GLA_USER, GLA_KERNEL };

/* One frame as the model sees it. */
struct mframe {
	u32 owner;
	int state;
	u64 gfn;
	bool must_be_zero;	/* for its new owner */
	u64 pending_since;	/* model clock */
};

struct mvm {
	u64 bound[4096];	/* gfn -> pfn + 1, small gfns only */
	bool cut;
	u64 ticket;
};

extern struct owner pvm[PVMS];
extern struct mvm mvm[PVMS];
extern struct mframe mframe[FRAMES];
extern u64 eptp12[SHADOWS];
extern u64 host_root;
extern u64 steps;

void w_init(u32 pool_frames);
void w_check(void);			/* every view against the model */
void w_teardown(void);			/* everything back, nothing leaked */

void w_exit(u32 cpu);			/* any exit of that CPU and back */
void w_flush_all(void);
int w_donate_layer(u32 cpu, u64 pfn);
int w_pool_commit(u32 cpu);
int w_donate_vm(u32 cpu, u32 n, u64 pfn, u64 gfn);
int w_commit(u32 cpu, u32 n);
int w_return(u32 cpu, u32 n, u64 gfn);
int w_share(u32 cpu, u32 n, u64 gfn);
int w_unshare(u32 cpu, u32 n, u64 gfn);
void w_vm_state(u32 cpu, u32 n, enum up_vm_state state);
void w_vm_create(u32 cpu, u32 n);
void w_vm_destroy(u32 cpu, u32 n);	/* a dead VM without frames: a new one in its place */

void w_host_touch(u32 cpu, u64 pfn, u64 access, enum gla gla);
void w_shadow_touch(u32 cpu, u32 n, u64 gpa, u64 access);
void w_pvm_touch(u32 cpu, u32 n, u64 gpa, u64 access, u64 proposal_pfn);
void w_kvm_map(u32 n, u64 gpa, u64 entry);	/* KVM writes a leaf entry of VM n's EPT12 */
void w_kvm_invept(u32 cpu, u32 n, u64 type);
void w_kvm_off(u32 cpu);
u64 w_kvm_gpa(u32 i);				/* the i-th of a few gpas of ordinary VMs */

u64 rnd(u64 below);

void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
#define expect(cond, ...) \
	do { \
		if (!(cond)) \
			fail(__VA_ARGS__); \
	} while (0)

#endif /* EPT_WORLD_H */
