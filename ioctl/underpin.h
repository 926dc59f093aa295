/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The interface of /dev/underpin, the device of the layer beneath this host.
 *
 * A protected VM is a file descriptor made by UNDERPIN_VM_CREATE:
 *
 *	vm = ioctl(dev, UNDERPIN_VM_CREATE, &create);	from a KVM VM and its vCPUs
 *	ioctl(vm, UNDERPIN_VM_PROTECT, &protect);	before the VM's first instruction
 *	... let the VM run ...
 *	close(vm);
 *
 * The VM ends, its frames are zeroed and only then go back to Linux, as soon as
 * one of these happens: the last descriptor is closed (unless the VM was made
 * with UNDERPIN_VM_DETACHED and is protected by then), the process that owns
 * the VM's memory ends in whatever way, or UNDERPIN_VM_RELEASE is called.
 *
 * Rules for every structure here: there is no padding; flags must be known and
 * reserved fields must be zero (EINVAL otherwise); pointers travel as __u64.  A
 * structure never changes its meaning: an extended call gets a new number.
 *
 * The device is root's (mode 0600).  Nothing here can reveal a protected VM's
 * memory or registers: the layer would refuse.
 *
 * Error numbers that every call may give: EINVAL (a field is malformed), EFAULT
 * (a pointer is), ENODEV (the layer is not beneath this CPU), EIO (the layer
 * answered something impossible), ENOTTY (no such call on this descriptor).
 */
#ifndef UNDERPIN_H
#define UNDERPIN_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UNDERPIN_DEVICE		"/dev/underpin"
#define UNDERPIN_IOC		0xbc

#define UNDERPIN_EXIT_REASONS	80	/* SDM vol. 3, appendix C */
#define UNDERPIN_MAX_VMS	64
#define UNDERPIN_MAX_VCPUS	64
#define UNDERPIN_REPORTS	8
#define UNDERPIN_CPU_NONE	0xffffffffu

/**
 * struct underpin_cpu_status - one CPU's counters, since the launch
 * @demoted: 1 while the CPU's Linux runs above the layer
 * @apic_id: the CPU's local APIC ID
 * @exits_host: VM exits of the demoted host, by basic exit reason
 * @exits_vm: VM exits of VMs that ran on this CPU, by basic exit reason
 * @transitions: VM exits and VM entries of hardware
 * @nmi_in_root: NMIs that arrived while the layer ran
 * @flushes: times that all of the CPU's translations were dropped
 */
struct underpin_cpu_status {
	__u32 demoted;
	__u32 apic_id;
	__u64 exits_host[UNDERPIN_EXIT_REASONS];
	__u64 exits_vm[UNDERPIN_EXIT_REASONS];
	__u64 transitions;
	__u64 nmi_in_root;
	__u64 flushes;
};

/**
 * struct underpin_status - the layer as a whole, and one CPU
 * @cpu: in: which CPU's counters to fill in, 0 to @cpus - 1, or UNDERPIN_CPU_NONE
 * @flags: in: zero
 * @abi: version of the call interface between the module and the layer
 * @cpus: CPUs under the layer
 * @vms: protected VMs
 * @sealed: 1 if the layer never leaves before the machine restarts
 * @pool_frames: 4 KiB frames that are the layer's own
 * @pool_free: of these, unused ones
 * @table_bytes: size of the table of frame owners
 * @ram_frames: frames of RAM in that table
 * @host_2m_frames: host frames reached through mappings of 2 MiB or more
 * @host_4k_frames: host frames reached through 4 KiB mappings
 * @vm_frames: frames that belong to protected VMs
 * @faults_injected: host accesses to others' frames answered by a page fault
 * @decoys: host accesses to others' frames answered by a decoy
 * @denied: requests refused, whatever the cause
 * @flush_epoch: times that a mapping was taken away from somebody
 * @image_sha256: SHA-256 of the root image that was launched
 * @counters: of @cpu
 *
 * UNDERPIN_STATUS.  ENOENT: there is no such CPU.
 */
struct underpin_status {
	__u32 cpu;
	__u32 flags;
	__u32 abi;
	__u32 cpus;
	__u32 vms;
	__u32 sealed;
	__u64 pool_frames;
	__u64 pool_free;
	__u64 table_bytes;
	__u64 ram_frames;
	__u64 host_2m_frames;
	__u64 host_4k_frames;
	__u64 vm_frames;
	__u64 faults_injected;
	__u64 decoys;
	__u64 denied;
	__u64 flush_epoch;
	__u8 image_sha256[32];
	struct underpin_cpu_status counters;
};

/* The VM outlives its descriptor: once protected it ends with its process only. */
#define UNDERPIN_VM_DETACHED	(1u << 0)

/**
 * struct underpin_launch - which layer was launched, and when
 * @flags: in: zero
 * @asks_tickets: in: zero; out: 1 if no VM is protected without a ticket
 * @image_sha256: SHA-256 of the root image that was launched
 * @nonce: SHA-256 of the launch's public key: a ticket for an earlier launch names another
 *
 * UNDERPIN_LAUNCH.
 */
struct underpin_launch {
	__u32 flags;
	__u32 asks_tickets;
	__u8 image_sha256[32];
	__u8 nonce[32];
};

#define UNDERPIN_SETTINGS	80
#define UNDERPIN_REPORT		624

#define UNDERPIN_TICKET		416

enum underpin_iommu {
	UNDERPIN_IOMMU_NONE,
	UNDERPIN_IOMMU_PARTIAL,
	UNDERPIN_IOMMU_FULL,
};

/**
 * struct underpin_attest - the launch's key speaks for a nonce
 * @flags: in: zero
 * @reserved: in: zero
 * @nonce: in: a verifier's
 * @weaknesses: out: bits that docs/attestation.md lists
 * @iommu: out: enum underpin_iommu
 * @image_sha256: out: SHA-256 of the root image that was launched
 * @settings: out: what it was launched with, as docs/attestation.md has it
 * @key: out: the launch's public key
 * @signature: out: Ed25519 by it, of magic, version, @weaknesses, @nonce and @key
 *
 * UNDERPIN_ATTEST.  Takes a millisecond or so.  EOPNOTSUPP: the launch has no key, since the
 * processor has no random numbers; EINTR: a fatal signal.
 */
struct underpin_attest {
	__u32 flags;
	__u32 reserved;
	__u8 nonce[32];
	__u32 weaknesses;
	__u32 iommu;
	__u8 image_sha256[32];
	__u8 settings[UNDERPIN_SETTINGS];
	__u8 key[32];
	__u8 signature[64];
};

/**
 * struct underpin_vm_report - the launch's key speaks for a protected VM
 * @id: in: which
 * @flags: in: zero
 * @data: in: bytes of the asker's, which are signed with the rest
 * @report: out: what docs/attestation.md lists
 * @signature: out: Ed25519 by the launch's key, of @report
 *
 * UNDERPIN_VM_REPORT.  ENOENT: the layer knows no such VM; EOPNOTSUPP, EINTR: see struct
 * underpin_attest.
 */
struct underpin_vm_report {
	__u32 id;
	__u32 flags;
	__u8 data[64];
	__u8 report[UNDERPIN_REPORT];
	__u8 signature[64];
};

/**
 * struct underpin_challenge - what a ticket of version 2 has to name
 * @flags: in: zero
 * @reserved: in: zero
 * @challenge: out: bytes that nobody foresees; the lifetime of a ticket that names them counts
 *	from now on. Few are outstanding: another one takes the oldest one's place
 *
 * UNDERPIN_CHALLENGE.  EOPNOTSUPP: the processor has no random numbers.
 */
struct underpin_challenge {
	__u32 flags;
	__u32 reserved;
	__u8 challenge[32];
};

/**
 * struct underpin_vm_create - make a protected VM of a KVM VM
 * @kvm_fd: in: a VM of /dev/kvm
 * @flags: in: UNDERPIN_VM_DETACHED or zero
 * @vcpu_fds: in: address of @vcpus file descriptors (__s32), all vCPUs of that VM
 * @vcpus: in: their number, 1 to UNDERPIN_MAX_VCPUS
 * @id: out: number of the protected VM, unique while it exists
 * @vm_fd: out: its file descriptor, close-on-exec
 * @reserved: in: zero
 *
 * UNDERPIN_VM_CREATE.  Nothing of the VM's changes yet.  EBADF: @kvm_fd is no
 * KVM VM, or one of @vcpu_fds is no vCPU of it; EXDEV: a vCPU is missing or
 * named twice; EBUSY: a vCPU has run already; EEXIST: the VM is protected
 * already; ESRCH: its process is ending; EOPNOTSUPP: kvm.ko is not loaded;
 * ENOSPC: the layer knows UNDERPIN_MAX_VMS VMs; ENXIO: no IOMMU keeps devices from
 * its memory, and underpin.ko was not loaded with allow_no_iommu=1.
 */
struct underpin_vm_create {
	__s32 kvm_fd;
	__u32 flags;
	__u64 vcpu_fds;
	__u32 vcpus;
	__u32 id;
	__s32 vm_fd;
	__u32 reserved;
};

/**
 * struct underpin_vm_ticket - bring the ticket that lets a VM be protected
 * @flags: in: zero
 * @reserved: in: zero
 * @ticket: in: of version 2, docs/ticket.md
 *
 * UNDERPIN_VM_TICKET, on the VM's descriptor, before UNDERPIN_VM_PROTECT.  EACCES: the layer does
 * not take it, and its log says why; EALREADY: the VM is protected already; ESTALE: it has
 * ended; EINTR: a fatal signal.
 */
struct underpin_vm_ticket {
	__u32 flags;
	__u32 reserved;
	__u8 ticket[UNDERPIN_TICKET];
};

/* What a call was at when it failed; the text is for a reader. */
enum underpin_step {
	UNDERPIN_STEP_NONE,
	UNDERPIN_STEP_MEMSLOTS,		/* reading KVM's memory slots */
	UNDERPIN_STEP_PIN,		/* pinning memory; where = guest frame */
	UNDERPIN_STEP_BIND,		/* binding a vCPU; where = its index */
	UNDERPIN_STEP_DONATE,		/* giving frames to the layer; where = guest frame */
	UNDERPIN_STEP_MEASURE,		/* hashing; where = frames done */
};

/**
 * struct underpin_vm_protect - pin, donate and measure a VM's memory
 * @flags: in: zero
 * @step: out: enum underpin_step where it failed
 * @where: out: which one, see enum underpin_step
 * @frames: out: frames donated
 * @aliases: out: of these, zero frames that stand for a second guest address of
 *	memory that the VM has at a higher address already
 * @measurement: out: SHA-256 of the VM's memory as it starts
 * @reserved: in: zero
 *
 * UNDERPIN_VM_PROTECT, on the VM's descriptor, once.  All or nothing: when it
 * fails, everything was given back, and the VM never becomes a protected one.
 * EBUSY: a vCPU has run already; EALREADY: it was called before; ENOMEM: no
 * memory; ENOSPC: more vCPUs than the layer protects; EFAULT: some of the VM's
 * memory cannot be pinned for writing; EPERM: a page is a protected VM's already,
 * such as one that the VM shows through two mappings, or (UNDERPIN_STEP_MEASURE) the VM needs
 * a ticket and has none that is for it; EINTR: a fatal signal;
 * ESTALE: the VM has ended.  A VM that was protected once cannot be again.
 */
struct underpin_vm_protect {
	__u32 flags;
	__u32 step;
	__u64 where;
	__u64 frames;
	__u64 aliases;
	__u8 measurement[32];
	__u64 reserved;
};

/**
 * struct underpin_vm_donate - give a protected VM memory that it got later
 * @gfn: in: first guest frame
 * @count: in: number of guest frames; all must be in memory slots of the VM
 * @flags: in: zero
 * @step: out: enum underpin_step where it failed
 * @where: out: which one
 * @done: out: frames donated; those stay donated when a later one fails
 *
 * UNDERPIN_VM_DONATE, on the VM's descriptor.  The frames arrive zeroed.
 * ENOENT: no memory slot there; EEXIST: something was donated there already;
 * EPERM: a page is a protected VM's already; EAGAIN: it is not protected yet;
 * ESTALE: it has ended.
 */
struct underpin_vm_donate {
	__u64 gfn;
	__u64 count;
	__u32 flags;
	__u32 step;
	__u64 where;
	__u64 done;
};

enum underpin_vm_state {
	UNDERPIN_VM_NONE,
	UNDERPIN_VM_BUILDING,		/* frames arrive, vCPUs are bound */
	UNDERPIN_VM_MEASURING,		/* frozen, being hashed */
	UNDERPIN_VM_RUNNABLE,		/* protected; may run */
	UNDERPIN_VM_DEAD,		/* never runs again; its frames go back zeroed */
};

/**
 * struct underpin_vm_info - what is known of a protected VM
 * @id: in: which
 * @flags: in: zero
 * @state: enum underpin_vm_state
 * @vcpus: vCPUs bound to it
 * @pid: the process that made the KVM VM, as the initial PID namespace sees it
 * @reports: bit n is set if the VM's firmware reported digest n
 * @frames: frames that it owns
 * @frames_shared: of these, those that it shares with the host
 * @frames_measured: of these, those in @measurement
 * @frames_pinned: frames of its process that are pinned for it
 * @entries: times that it was entered
 * @mismatches: proposals of the host's that the layer refused
 * @measurement: SHA-256 of its memory as it started; zero until that is known
 * @report: digests that its firmware reported
 * @death: why it is dead, NUL-terminated
 *
 * UNDERPIN_VM_INFO.  ENOENT: there is no such VM.
 */
struct underpin_vm_info {
	__u32 id;
	__u32 flags;
	__u32 state;
	__u32 vcpus;
	__s32 pid;
	__u32 reports;
	__u64 frames;
	__u64 frames_shared;
	__u64 frames_measured;
	__u64 frames_pinned;
	__u64 entries;
	__u64 mismatches;
	__u8 measurement[32];
	__u8 report[UNDERPIN_REPORTS][32];
	__u8 death[64];
};

/**
 * struct underpin_vm_list - the protected VMs
 * @ids: in: address of room for @count numbers (__u32)
 * @count: in: how many fit; out: how many VMs there are, which may be more
 * @flags: in: zero
 *
 * UNDERPIN_VM_LIST.
 */
struct underpin_vm_list {
	__u64 ids;
	__u32 count;
	__u32 flags;
};

/**
 * struct underpin_vm_release - end a protected VM
 * @id: in: which
 * @flags: in: zero
 *
 * UNDERPIN_VM_RELEASE.  It never runs again; its frames are zeroed and back with
 * its process when the call returns.  ENOENT: there is no such VM.
 */
struct underpin_vm_release {
	__u32 id;
	__u32 flags;
};

/* On /dev/underpin. */
#define UNDERPIN_STATUS		_IOWR(UNDERPIN_IOC, 0x00, struct underpin_status)
#define UNDERPIN_LAUNCH		_IOWR(UNDERPIN_IOC, 0x01, struct underpin_launch)
#define UNDERPIN_ATTEST		_IOWR(UNDERPIN_IOC, 0x02, struct underpin_attest)
#define UNDERPIN_CHALLENGE	_IOWR(UNDERPIN_IOC, 0x03, struct underpin_challenge)
#define UNDERPIN_VM_CREATE	_IOWR(UNDERPIN_IOC, 0x10, struct underpin_vm_create)
#define UNDERPIN_VM_INFO	_IOWR(UNDERPIN_IOC, 0x11, struct underpin_vm_info)
#define UNDERPIN_VM_LIST	_IOWR(UNDERPIN_IOC, 0x12, struct underpin_vm_list)
#define UNDERPIN_VM_RELEASE	_IOW(UNDERPIN_IOC, 0x13, struct underpin_vm_release)
#define UNDERPIN_VM_REPORT	_IOWR(UNDERPIN_IOC, 0x14, struct underpin_vm_report)

/* On a VM's descriptor. */
#define UNDERPIN_VM_PROTECT	_IOWR(UNDERPIN_IOC, 0x20, struct underpin_vm_protect)
#define UNDERPIN_VM_DONATE	_IOWR(UNDERPIN_IOC, 0x21, struct underpin_vm_donate)
#define UNDERPIN_VM_TICKET	_IOW(UNDERPIN_IOC, 0x22, struct underpin_vm_ticket)

#endif /* UNDERPIN_H */
