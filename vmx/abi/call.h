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

#include "vmx/abi/ticket.h"

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

/*
 * What the launch's key signs (docs/attestation.md).  Both begin with a magic and a version
 * of their own: neither can be taken for the other.
 */
#define UP_WEAK_DEBUG		(1u << 0)	/* weaknesses that the layer knows of */
#define UP_WEAK_NO_IOMMU	(1u << 1)
#define UP_WEAK_PART_IOMMU	(1u << 2)
#define UP_WEAK_SMT		(1u << 3)	/* hyper-threading with L1TF or MDS */
#define UP_WEAK_SMM		(1u << 4)
#define UP_WEAK_SLEEP		(1u << 5)

#define UP_LAUNCH_MAGIC		0x48434e55414c5055ull	/* "UPLAUNCH" */
#define UP_LAUNCH_VERSION	1

struct up_launch_statement {
	unsigned long long magic;
	unsigned int version;
	unsigned int flags;		/* UP_WEAK_* */
	unsigned char nonce[32];	/* the verifier's */
	unsigned char key[32];		/* the launch's public key */
};

/* What the layer was launched with, as far as a verifier has to know it. */
#define UP_SETTINGS_MAGIC	0x47464e4f43205055ull	/* "UP CONFG" */

struct up_settings {
	unsigned long long magic;
	unsigned int version;		/* 2 */
	unsigned int flags;		/* bit 0: VMs are protected without an IOMMU, too */
	unsigned char authority[32];	/* whose tickets VMs need: 0, none */
	unsigned char host[32];		/* who this host is, to that authority */
};

/* What is promised of DMA and of interrupts by devices. */
enum up_iommu_state {
	UP_IOMMU_NONE,		/* nothing: no VM is protected, but for allow_no_iommu=1 */
	UP_IOMMU_PARTIAL,	/* no device that firmware lists reaches protected memory */
	UP_IOMMU_FULL,		/* no device does, and interrupts are remapped by checked entries */
};

/* UP_CALL_SIGN: one page, in: ->statement.nonce; out: all of it. */
struct up_launch_proof {
	struct up_launch_statement statement;
	unsigned char signature[64];	/* of the statement */
	unsigned char image_sha256[32];
	struct up_settings settings;
	unsigned int iommu;		/* enum up_iommu_state */
	unsigned int reserved;
};

#define UP_VM_REPORT_MAGIC	0x54524f5045525055ull	/* "UPREPORT" */
#define UP_VM_REPORT_VERSION	1
#define UP_VM_GHCI		(1u << 0)	/* it speaks the GHCI */
#define UP_VM_ASKED		(1u << 1)	/* the VM asked; else the host did */
#define UP_VM_RTMRS		4		/* as a TD has them (GHCI): SHA-384 */

struct up_vm_report {
	unsigned long long magic;
	unsigned int version;
	unsigned int flags;		/* UP_WEAK_* */
	unsigned int vm_flags;
	unsigned int id;
	unsigned int state;		/* enum up_vm_state */
	unsigned int vcpus;
	unsigned int reports;		/* bit n: report n was made */
	unsigned int reserved;		/* 0 */
	unsigned long long frames_measured;
	unsigned char key[32];		/* the launch's public key */
	unsigned char measurement[32];	/* 0 until it is known */
	unsigned char report[UP_VM_REPORTS][32];
	unsigned char rtmr[UP_VM_RTMRS][48];
	unsigned char data[64];		/* the asker's */
};

/* UP_CALL_VM_REPORT: one page, in: ->report.data; out: all of it. */
struct up_vm_proof {
	struct up_vm_report report;
	unsigned char signature[64];	/* of the report */
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

/* Why PCR 19 does not have the launch's events, or has not all of them. */
enum up_tpm {
	UP_TPM_MORE,		/* it works at it */
	UP_TPM_GOOD,
	UP_TPM_ABSENT,		/* nothing answers at its registers */
	UP_TPM_UNKNOWN,		/* its interface is neither FIFO nor a CRB in its own page */
	UP_TPM_HELD,		/* another locality does not let go */
	UP_TPM_HUNG,		/* it does not answer */
	UP_TPM_MALFORMED,	/* its answer has another form than it must have */
	UP_TPM_FAILED,		/* it refused: the log has its code */
	UP_TPM_NO_BANK,		/* it keeps no SHA-256 PCRs */
	UP_TPM_USED,		/* PCR 19 was extended before in this boot */
	UP_TPM_NO_KEY,		/* there is nothing to vouch for */
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
	unsigned char launch_nonce[32];		/* SHA-256 of the launch's key */
	unsigned char launch_key[32];		/* its public half, if there is one */
	unsigned int has_key;
	unsigned int tpm;			/* enum up_tpm */
	unsigned int tpm_events;		/* of the launch, in PCR 19: 4 are all */
	unsigned int iommu;			/* enum up_iommu_state, */
	unsigned int iommu_reason;		/* enum up_iommu_reason: vmx/abi/iommu.h */
	unsigned int iommu_units;		/* that the layer has */
	unsigned int allow_no_iommu;		/* as it was loaded */
	unsigned int reserved;
	unsigned long long iommu_faults;	/* requests of devices that were refused */
	struct up_settings settings;
	struct up_cpu_status cpu;
};

#endif /* VMX_CALL_H */
