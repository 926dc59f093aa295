/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The call interface between the host side and the root image, and between a
 * protected VM and the root image: VMCALL, rax = operation, rbx, rcx, rdx, rsi
 * = arguments, result in rax (0 or a negative UP_E* number), rbx, rcx.
 *
 * Shared by both sides; constants and fixed-size structures only.
 */
#ifndef VMX_CALL_H
#define VMX_CALL_H

#define UP_CALL_MAGIC		0x55500000u	/* "UP": rax bits 31:16 */
#define UP_ABI_VERSION		2

/*
 * Host operations: ring 0 of the demoted host only (CPL 0, not from a VM).
 * Addresses are host-physical, counts are in entries, ids are VM ids.  Arguments and
 * errors: calls.h, docs/abi.md.
 */
enum up_call {
#define UP_HOST_OP(name, number, fn) UP_CALL_##name = UP_CALL_MAGIC + (number),
#define UP_GUEST_OP(name, number, fn)
#include "vmx/abi/calls.h"
};

/* Guest operations: from a protected VM, CPL 0 only (firmware and guest driver). */
enum up_guest_call {
#define UP_HOST_OP(name, number, fn)
#define UP_GUEST_OP(name, number, fn) UP_GUEST_##name = UP_CALL_MAGIC + (number),
#include "vmx/abi/calls.h"
};

/* One frame to donate: 16 bytes. */
struct up_donation {
	unsigned long long pfn;
	unsigned long long gfn;
};

#define UP_MAX_CPUS		1024
#define UP_MAX_VMS		64
#define UP_VM_MAX_VCPUS		64	/* as many as the guest firmware has tables for */
#define UP_VM_REPORTS		8	/* runtime digests that firmware may report */

enum up_vm_state {
	UP_VM_NONE,		/* slot is free */
	UP_VM_BUILDING,		/* frames arrive, vCPUs are bound */
	UP_VM_MEASURING,	/* frozen, being hashed */
	UP_VM_RUNNABLE,		/* measured; may be entered */
	UP_VM_DEAD,		/* never runs again; frames go back zeroed */
};

/*
 * What a VM's launch measurement is: SHA-256 over, for every frame in ascending
 * gfn order, the record { u64 gfn (little endian), u8 SHA-256(content)[32] }.
 */
struct up_vm_info {
	unsigned int id;
	unsigned int state;		/* enum up_vm_state */
	unsigned int vcpus;
	unsigned int reports;		/* bit n: report n was made */
	unsigned long long frames;	/* owned by the VM */
	unsigned long long frames_shared;
	unsigned long long frames_measured;
	unsigned long long entries;	/* times the VM was entered */
	unsigned long long mismatches;	/* proposals of the host refused */
	unsigned char measurement[32];
	unsigned char report[UP_VM_REPORTS][32];
	char death[64];			/* why it is dead, NUL-terminated */
};

#define UP_EXIT_REASONS		80	/* SDM vol. 3, appendix C */

struct up_cpu_status {
	unsigned int demoted;
	unsigned int apic_id;
	unsigned long long exits_host[UP_EXIT_REASONS];	/* of the demoted host */
	unsigned long long exits_vm[UP_EXIT_REASONS];	/* of VMs on this CPU */
	unsigned long long transitions;	/* VM exits and VM entries of hardware */
	unsigned long long nmi_in_root;
	unsigned long long flushes;
};

/* The layer's state, with one CPU's counters. */
struct up_status {
	unsigned int abi;
	unsigned int cpus;
	unsigned int vms;
	unsigned int sealed;
	unsigned long long pool_frames;		/* the layer's, all */
	unsigned long long pool_free;
	unsigned long long table_bytes;		/* owner table */
	unsigned long long ram_frames;
	unsigned long long host_2m_frames;	/* host frames mapped by >= 2 MiB */
	unsigned long long host_4k_frames;
	unsigned long long vm_frames;
	unsigned long long faults_injected;
	unsigned long long decoys;
	unsigned long long denied;		/* refused requests, by all causes */
	unsigned long long flush_epoch;
	unsigned char image_sha256[32];		/* of the root image as it was loaded */
	unsigned char launch_nonce[32];		/* the host's, from before the launch */
	unsigned int iommu;			/* enum up_iommu_state, */
	unsigned int iommu_reason;		/* enum up_iommu_reason: vmx/abi/iommu.h */
	unsigned int iommu_units;		/* that the layer has */
	unsigned int allow_no_iommu;		/* as it was loaded */
	unsigned long long iommu_faults;	/* requests of devices that were refused */
	struct up_cpu_status cpu;
};

#endif /* VMX_CALL_H */
