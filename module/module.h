/* SPDX-License-Identifier: GPL-2.0 */
/* The host side's own interfaces.  All of it runs in ordinary kernel context. */
#ifndef MODULE_MODULE_H
#define MODULE_MODULE_H

#include <linux/types.h>

#include "ioctl/call.h"
#include "last_words.h"
#include "vmx/abi/errno.h"
#include "vmx/abi/image.h"

/* Memory that the layer gets, and the image in it (module/image.c). */
struct up_layer {
	struct up_image_header header;	/* of the image that was loaded */
	struct up_config *config;	/* in the image's bss */
	u64 root_cr3;
	u64 image_slot;			/* root's PML4 entry for UP_IMAGE_BASE */
};

/**
 * up_image_load() - allocate the layer's memory, copy the image, build its page tables
 * @layer: filled in
 *
 * Process context, may sleep.  Return: 0 or a negative errno, everything undone.
 */
int up_image_load(struct up_layer *layer);

/** up_image_free() - zero and free it all; every CPU has left */
void up_image_free(void);

/**
 * up_check() - may this host be demoted?
 * Process context.  Logs all that is against it, each with its cure (module/needs.h).
 * Return: 0 or the first failure's errno.
 */
int up_check(void);

/**
 * up_check_stores() - does nothing on this CPU store by physical address of its own accord?
 * Preemption is off.  Return: 0, or -EBUSY: logged, with its cure
 */
int up_check_stores(void);

/* Where sleep states are entered, for the layer to watch. */
struct up_sleep_regs {
	u32 pm1_cnt[2];		/* I/O ports, 0: there is none */
	u32 pm_base;		/* what moves them, as port 0xcf8 takes it; 0: locked */
};

/** up_sleep_regs() - what up_check() found; valid after it has returned 0 */
const struct up_sleep_regs *up_sleep_regs(void);

/**
 * up_launch() - demote every CPU, all or none
 * Process context.  Return: 0 or a negative errno, the host as it was.
 */
int up_launch(struct up_layer *layer);

/**
 * up_leave() - bring every CPU back
 * Return: 0, also if that was done before; -EBUSY while a protected VM exists or a CPU is
 * offline; -ENODEV if the layer does not answer.
 */
int up_leave(void);

/** up_running() - true from launch to leave, as far as this side knows */
bool up_running(void);

/** up_lost_cpus() - on how many online CPUs does no layer answer?  May sleep. */
unsigned int up_lost_cpus(void);

/**
 * up_log_flush() - copy new lines of the layer's log to the kernel log
 *
 * Each line once, whoever calls: takes a mutex of its own, innermost.  Process context,
 * may sleep.
 */
void up_log_flush(void);

/** up_hotplug_init() - watch CPUs go and come (module/hotplug.c); after launch */
int up_hotplug_init(void);
void up_hotplug_exit(void);

/** up_hotplug_all_online() - bring back the CPUs that are offline.  Return: 0 or an error */
int up_hotplug_all_online(void);

/** up_life_init() - watch for suspend, hibernation, reboot and kexec (module/life.c) */
int up_life_init(void);
void up_life_exit(void);

/**
 * up_ram_find() - what of physical memory is RAM (module/ram.c)
 * @ram: its ranges, ascending, until up_ram_forget(); @ranges: how many
 * Return: 0 or a negative errno.
 */
int up_ram_find(const struct up_range **ram, unsigned int *ranges);
void up_ram_forget(void);

/**
 * up_device_add() - the layer keeps these registers from its launch on (module/device.c)
 * @start: physical address, @size: bytes; of whole pages
 *
 * Before up_image_load(); until up_devices_forget().
 * Return: 0; -EINVAL: no whole pages, or another range has some of them; -ENOSPC: too many.
 */
int up_device_add(u64 start, u64 size);

/** up_tpm_keep() - the layer keeps a TPM's localities 1 to 4.  Before up_image_load() */
int up_tpm_keep(void);

/**
 * up_tpm_extend() - the layer's events go into PCR 19; @end: that of leaving
 * Process context, sleeps; a TPM that hangs costs some seconds.  Says what is missing.
 */
void up_tpm_extend(bool end);

/**
 * up_weak_extend() - where the layer has no TPM, but the kernel: the same into its PCR 15
 * Process context, sleeps.  Says what is missing.
 */
void up_weak_extend(bool end);

/** up_weak_events() - how many events the kernel's PCR 15 has; 0: evidence is not weak, but none */
unsigned int up_weak_events(void);

/** up_tickets_read() - who grants VMs here, if somebody does.  Return: 0 or -EINVAL: logged */
int up_tickets_read(void);

/** up_tickets_configure() - and the layer is told so, after up_tickets_read() */
void up_tickets_configure(struct up_config *cfg);

/** up_devices() - the ranges so far, ascending; @n: how many */
const struct up_range *up_devices(unsigned int *n);
void up_devices_forget(void);

/**
 * up_iommu_find() - what the launch needs to know of VT-d (module/iommu.c)
 * Process context.  Adds the units' registers to up_devices(); until up_iommu_forget().
 * Return: 0, also where there is none; or a negative errno.
 */
int up_iommu_find(void);

/** up_iommu_forget() - no CPU runs on the layer: devices are as they were */
void up_iommu_forget(void);

/** up_iommu_table() - firmware's DMAR table; @bytes: 0: there is none */
const u8 *up_iommu_table(u32 *bytes);

/** up_iommu_interrupts() - units that remap interrupts: the layer needs a table for each */
unsigned int up_iommu_interrupts(void);

/** up_iommu_announced() - Linux's driver announces what it maps for devices, until that */
bool up_iommu_announced(void);

/** up_iommu_show() - into a page of sysfs's: state, figures, reason and cure.  Return: bytes */
int up_iommu_show(const struct up_status *st, char *buf);

/**
 * up_iommu_launched() - what root made of the units; process context
 *
 * The kernel's log says what devices can reach of VMs; where the units are Linux's still, its
 * driver and devices get back what up_iommu_find() has changed.
 */
void up_iommu_launched(void);

/** up_iommu_allow_none() - the operator protects VMs without an IOMMU */
bool up_iommu_allow_none(void);

/** up_ram_init() - from here on only memory that was found may come online */
int up_ram_init(void);
void up_ram_exit(void);

/** up_kvm_hold_init() - have a kvm_intel that is loaded from now on hold the module */
int up_kvm_hold_init(void);
void up_kvm_hold_exit(void);

/** up_flusher_start() - look every few milliseconds whether CPUs owe flushes; process context */
void up_flusher_start(void);
void up_flusher_stop(void);

struct up_status;
/**
 * up_get_status() - the layer's status, with one CPU's counters; process context
 *
 * Return: a page for free_page(), NULL if the layer does not answer
 */
struct up_status *up_get_status(unsigned int cpu);

/** up_sysfs_init() - make /sys/kernel/underpin; after launch */
int up_sysfs_init(void);
void up_sysfs_exit(void);

/**
 * up_words_begin() - from here on a hang leaves last words (module/last_words.c)
 * @step: what every CPU is at.  Process context.  Says what an earlier launch left.
 */
void up_words_begin(enum launch_step step);

/** up_words_step() - a CPU comes to a step; any context, of all CPUs that furthest behind counts */
void up_words_step(unsigned int cpu, enum launch_step step);

/** up_words_all() - every CPU has come to a step */
void up_words_all(enum launch_step step);

/** up_words_end() - it has not hung: the clock's alarm is as it was */
void up_words_end(void);

/** up_capture() - this CPU's state, for up_enter() (module/capture.c) */
void up_capture(struct up_linux *s);

#endif /* MODULE_MODULE_H */
