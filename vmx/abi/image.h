/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the host side, which loads the root image, and the
 * image: its address space, its header, and the launch configuration.
 *
 * The image is linked at a fixed virtual address in the part of the kernel half
 * that Linux leaves to hypervisors (Documentation/x86/x86_64/mm.rst,
 * ffff800000000000..ffff87ffffffffff), so that its PML4 slot can be put into a
 * copy of Linux's PML4 while a CPU changes sides.  With 5-level paging the same
 * addresses lie in the last slot of the PML5, as Linux's text does, where KASAN has
 * shadow memory of addresses that nothing has: both tables are copied then.
 */
#ifndef VMX_IMAGE_H
#define VMX_IMAGE_H

#define UP_IMAGE_BASE		0xffff800000000000ULL	/* text, rodata, data, bss */
#define UP_CPU_BASE		0xffff800040000000ULL	/* per-CPU areas */
#define UP_CPU_STRIDE		0x20000ULL		/* 128 KiB of address space a CPU */
#define UP_TABLE_BASE		0xffff808000000000ULL	/* owner table: one u64 a frame */
#define UP_RANGE_BASE		0xffff800080000000ULL	/* lists of struct up_range */
#define UP_DMAR_BASE		0xffff8000a0000000ULL	/* firmware's DMAR table: a copy */
#define UP_MMIO_BASE		0xffff8000c0000000ULL	/* registers of devices, uncached */
#define UP_DIRECT_BASE		0xffffc00000000000ULL	/* RAM, not executable */

/*
 * A CPU's area: guard page, stack, guard page, stack of #DF and #MC, guard page,
 * struct percpu.
 */
#define UP_CPU_STACK_OFF	0x1000
#define UP_CPU_STACK_SIZE	0x4000
#define UP_CPU_FAULT_OFF	0x6000
#define UP_CPU_FAULT_SIZE	0x2000
#define UP_CPU_DATA_OFF		0x9000
#define UP_CPU_DATA_SIZE	0x4000

/*
 * Localities 1 to 4 of the TPM, a page each (PC Client Platform TPM Profile, 6.3); locality
 * 0 stays the host's.
 */
#define UP_TPM_KEPT		0xfed41000ULL
#define UP_TPM_KEPT_SIZE	0x4000ULL

/* Devices whose registers the layer keeps: ranges, and frames in all of them. */
#define UP_MAX_DEVICES		160
#define UP_DEVICE_FRAMES	1024

#define UP_IMAGE_MAGIC		0x4e49505245444e55ULL	/* "UNDERPIN" */

#ifndef __ASSEMBLER__
/* First bytes of the image; offsets are from UP_IMAGE_BASE, page aligned. */
struct up_image_header {
	unsigned long long magic;
	unsigned int abi;		/* UP_ABI_VERSION */
	unsigned int cpu_data_size;	/* UP_CPU_DATA_SIZE */
	unsigned int rodata_off;	/* text is [0, rodata_off), R-X */
	unsigned int data_off;		/* rodata is [rodata_off, data_off), R-- */
	unsigned int bss_off;		/* data is [data_off, bss_off), RW- */
	unsigned int end_off;		/* bss is [bss_off, end_off), RW-, not in the file */
	unsigned int entry_off;		/* up_enter(): see vmx/exit/head.S */
	unsigned int config_off;	/* struct up_config, in bss */
};

struct up_range {
	unsigned long long start_pfn;
	unsigned long long end_pfn;	/* exclusive */
};

/*
 * Launch configuration: written by the host side into the image's bss before
 * any CPU enters.  The host is still trusted then (docs/threat-model.md).
 */
struct up_config {
	unsigned int cpus;
	unsigned int ram_ranges;
	unsigned int layer_chunks;
	unsigned int pool_chunks;
	unsigned int maxphyaddr;
	unsigned int serial_port;	/* 0: no early serial log */
	unsigned int pm1a_cnt;		/* ACPI PM1a control port, 0: none */
	unsigned int pm1b_cnt;
	unsigned int pm_base;		/* what moves them, as 0xcf8 takes it; 0: locked */
	unsigned int devices;
	unsigned int tsc_khz;		/* as Linux measured it; VMs are told */
	unsigned int allow_no_iommu;	/* protect VMs without units of VT-d, too */
	unsigned int vmcs_shadowing;	/* used where the processor has it; 0: never */
	unsigned int dma_announced;	/* Linux's driver announces what it maps for devices */
	unsigned long long root_cr3;
	unsigned long long table_frames;	/* entries in the owner table */
	unsigned long long image_sha256[4];
	unsigned char entropy[32];	/* for the launch's key; the layer erases it */
	unsigned char authority[32];	/* Ed25519 public key, whose tickets VMs need; 0: none */
	unsigned char host[32];		/* who this host is, to that authority */
	/* Lists in the layer's own memory, by root's addresses. */
	const struct up_range *ram;	/* usable RAM, ascending */
	/* Every frame the layer owns from the start: image, page tables, owner table... */
	const struct up_range *layer;
	const struct up_range *pool;	/* those of them that are free for use */
	/* Device registers, ascending, no RAM: one behind the other from UP_MMIO_BASE on. */
	const struct up_range *device;
	/* VT-d: firmware's table, and 1 MiB each for interrupt-remapping tables. */
	const unsigned char *dmar;
	const struct up_range *intr;
	unsigned int dmar_bytes;
	unsigned int intr_tables;
};

/* A segment register as a VMCS has it (SDM vol. 3, table 25-2). */
struct up_segment {
	unsigned long long base;
	unsigned int limit;
	unsigned int ar;
	unsigned long long sel;
};

/*
 * The state in which Linux goes on, demoted; the module takes it down
 * (module/capture.c).  RIP, RSP and RFLAGS are those of the call of up_enter().
 */
struct up_linux {
	struct up_segment seg[8];	/* ES CS SS DS FS GS LDTR TR: order of the VMCS */
	unsigned long long gdt_base, gdt_limit, idt_base, idt_limit;
	unsigned long long cr0, cr3, cr4, dr7, debugctl, efer, pat;
	unsigned long long sysenter_cs, sysenter_esp, sysenter_eip;
};

/* What Linux hands to up_enter() for each CPU; on its own stack. */
struct up_entry_state {
	unsigned long long cpu;
	unsigned long long apic_id;
	unsigned long long detail;	/* VM-instruction error or failed check */
	unsigned long long nmi;		/* an NMI came, and could not be delivered */
	struct up_linux linux_state;
};
#endif /* __ASSEMBLER__ */

#endif /* VMX_IMAGE_H */
