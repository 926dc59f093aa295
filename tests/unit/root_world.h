/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine beneath which the whole root image runs, but for its launch and its
 * end: real exits to vm_exit(), hardware replaced.  After every exit each promise
 * about frames, VMs and registers is looked at; r_fail() stops at the first broken one.
 */
#ifndef ROOT_WORLD_H
#define ROOT_WORLD_H

#include "l1.h"
#include "vmx/abi/call.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/vm/vm.h"
#include "ept/transition.h"

#define CPUS		2
#define RAM_END		1024ULL		/* frames; above: */
#define TABLE_END	1536ULL		/* none to here, though the owner table has entries */
#define DEVICE		1200ULL		/* registers that the layer keeps: frames, in the table, */
#define DEVICE_END	1203ULL
#define R_TPM_FRAMES	4ULL		/* UP_TPM_KEPT */
#define FAR_DEVICE	0xfed90ULL	/* and beyond; one */
#define LAYER_START	512ULL
#define LAYER_END	768ULL
#define R_LISTS		40ULL		/* frames for the arguments of calls: 8 */
#define R_VMCS12C	0x30000ULL
#define R_SECRET	0x5ec2e7a5ec2e7a5eULL	/* what protected VMs hold */

/* What RDRAND and RDSEED say next, and by how much more after that; so often they are dry. */
struct r_source {
	u64 next, step;
	u32 dry;
};

extern struct r_source r_rdrand, r_rdseed;
extern u64 r_tsc[CPUS];		/* what RDTSC says, by CPU */

void r_init(void);
void r_configure(void);		/* a program's own: more in up_config, before it is used */
void r_start(u32 cpu);		/* Linux starts on a CPU that came by SIPI */
void r_quiet(bool on);		/* no look after each exit */

/* A measured VM with one vCPU, whose VMCS is current.  Return: its id, or an error */
#define R_VM_PFN	100ULL
#define R_VM_FRAMES	4
long r_make_vm(void);
/* With so many frames, and vCPUs whose VMCSs are r_vmcs12[]; the first is current. */
long r_make_vm_of(u64 frames, u32 vcpus);
extern const u64 r_vmcs12[3];

/* Something to look at just before a CPU is the host's again, or NULL. */
extern void (*r_on_leave)(void);

bool r_left(u32 cpu);		/* in root mode again */
bool r_hosts(u64 pfn);		/* RAM that the host can write now */
u64 r_host_frame(void);		/* any such */

/*
 * VMCALL on the present CPU, arguments in its registers.  Checks the answer
 * against docs/abi.md.  Return: rax, or a fault: R_FAULT
 */
#define R_FAULT	(1L << 62)
long r_call(u64 op, u64 b, u64 c, u64 d);
struct vm *r_vm(u64 id);
u64 r_answer(u32 reg);		/* as the last exit left it */

void r_exit(u32 reason, u64 qual);	/* of whoever runs */
void r_to_host(void);			/* the present CPU runs the host */
void r_flush_all(void);			/* every CPU exits once */
void r_host_touch(u64 pfn, u64 access, bool user);
void r_vm_touch(u64 gfn, u64 access);
void r_kvm_map(u64 gfn, u64 pfn);	/* KVM's EPT, all VMs' */

/* Everything back: VMs killed, frames reclaimed; then the layer is asked to leave. */
void r_end(void);
/* A test's teardown that looks at nothing: the machine is forgotten. */
int r_forget(void **state);
/* Another, behind r_end_vms() */
int r_end_and_forget(void **state);
/* VMs alone.  Return: a CPU that is demoted, or CPUS: none */
u32 r_end_vms(void);

void r_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
#define r_expect(cond, ...) \
	do { \
		if (!(cond)) \
			r_fail(__VA_ARGS__); \
	} while (0)

#endif /* ROOT_WORLD_H */
