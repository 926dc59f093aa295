// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/underpin: state, image hash and counters, without debugfs.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "module.h"

static struct kobject *dir;

static ssize_t state_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return sysfs_emit(buf, "%s\n", !up_running() ? "off" : up_lost_cpus() ? "lost" : "running");
}

static ssize_t image_hash_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	struct up_status *st = up_get_status(0);
	int n = st ? sysfs_emit(buf, "%32phN\n", st->image_sha256) : -EIO;

	free_page((unsigned long)st);
	return n;
}

static ssize_t launch_nonce_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	struct up_status *st = up_get_status(0);
	int n = st ? sysfs_emit(buf, "%32phN\n", st->launch_nonce) : -EIO;

	free_page((unsigned long)st);
	return n;
}

static ssize_t iommu_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	struct up_status *st = up_get_status(0);
	int n = st ? up_iommu_show(st, buf) : -EIO;

	free_page((unsigned long)st);
	return n;
}

static ssize_t launch_key_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	struct up_status *st = up_get_status(0);
	int n = -EIO;

	if (st && st->has_key)
		n = sysfs_emit(buf, "%32phN\n", st->launch_key);
	else if (st)
		n = sysfs_emit(buf, "none\n");
	free_page((unsigned long)st);
	return n;
}

/* A part of the settings: 64 hexadecimal digits, or that there is none. */
static ssize_t show_setting(char *buf, size_t offset)
{
	static const u8 none[32];
	struct up_status *st = up_get_status(0);
	const u8 *bytes = (const u8 *)st + offset;
	int n = -EIO;

	if (st && memcmp(bytes, none, sizeof(none)))
		n = sysfs_emit(buf, "%32phN\n", bytes);
	else if (st)
		n = sysfs_emit(buf, "none\n");
	free_page((unsigned long)st);
	return n;
}

static ssize_t ticket_authority_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return show_setting(buf, offsetof(struct up_status, settings.authority));
}

static ssize_t host_identity_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return show_setting(buf, offsetof(struct up_status, settings.host));
}

static ssize_t tpm_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	static const char * const words[] = {
		[UP_TPM_MORE] = "busy", [UP_TPM_GOOD] = "good", [UP_TPM_ABSENT] = "absent",
		[UP_TPM_UNKNOWN] = "unknown", [UP_TPM_HELD] = "held", [UP_TPM_HUNG] = "hung",
		[UP_TPM_MALFORMED] = "malformed", [UP_TPM_FAILED] = "failed",
		[UP_TPM_NO_BANK] = "no-bank", [UP_TPM_USED] = "used", [UP_TPM_NO_KEY] = "no-key",
	};
	struct up_status *st = up_get_status(0);
	int n = -EIO;

	if (st && st->tpm == UP_TPM_ABSENT && up_weak_events())
		n = sysfs_emit(buf, "weak %u absent\n", up_weak_events());
	else if (st && st->tpm < ARRAY_SIZE(words))
		n = sysfs_emit(buf, "%s %u\n", words[st->tpm], st->tpm_events);
	free_page((unsigned long)st);
	return n;
}

static ssize_t frames_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	struct up_status *st = up_get_status(0);
	int n = -EIO;

	if (st)
		n = sysfs_emit(buf,
			       "ram %llu\npool %llu\npool_free %llu\ntable_bytes %llu\nhost_2m %llu\nhost_4k %llu\nvm %llu\ndecoys %llu\nfaults_injected %llu\ndenied %llu\nflush_epoch %llu\n",
			       st->ram_frames, st->pool_frames, st->pool_free, st->table_bytes,
			       st->host_2m_frames, st->host_4k_frames, st->vm_frames, st->decoys,
			       st->faults_injected, st->denied, st->flush_epoch);
	free_page((unsigned long)st);
	return n;
}

/* One line a CPU: number, demoted, transitions, flushes, NMIs in root mode. */
static ssize_t cpus_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	struct up_status *st;
	unsigned int cpu;
	int n = 0;

	for_each_possible_cpu(cpu) {
		st = up_get_status(cpu);
		if (st)
			n += sysfs_emit_at(buf, n, "%u %u %llu %llu %llu\n", cpu,
					   st->cpu.demoted, st->cpu.transitions,
					   st->cpu.flushes, st->cpu.nmi_in_root);
		free_page((unsigned long)st);
	}
	return n;
}

/* Lines "reason count", all CPUs together, reasons of SDM vol. 3, appendix C. */
static ssize_t show_exits(char *buf, bool vm)
{
	u64 sum[UP_EXIT_REASONS] = { };
	struct up_status *st;
	unsigned int cpu, i;
	int n = 0;

	for_each_possible_cpu(cpu) {
		st = up_get_status(cpu);
		for (i = 0; st && i < UP_EXIT_REASONS; i++)
			sum[i] += vm ? st->cpu.exits_vm[i] : st->cpu.exits_host[i];
		free_page((unsigned long)st);
	}
	for (i = 0; i < UP_EXIT_REASONS; i++)
		if (sum[i])
			n += sysfs_emit_at(buf, n, "%u %llu\n", i, sum[i]);
	return n;
}

static ssize_t exits_host_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return show_exits(buf, false);
}

static ssize_t exits_vm_show(struct kobject *k, struct kobj_attribute *a, char *buf)
{
	return show_exits(buf, true);
}

/*
 * The layer's whole ring, oldest line first.  Offsets count from its oldest byte:
 * what is logged meanwhile may push out lines between two reads.
 */
static ssize_t log_read(struct file *f, struct kobject *k, struct bin_attribute *a, char *buf,
			loff_t off, size_t count)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	u64 pfn = page ? virt_to_phys(page) >> PAGE_SHIFT : 0, oldest = 0, len = 0;
	ssize_t n = page ? 0 : -ENOMEM;

	/* The layer moves a position that is too old to the oldest byte it has. */
	if (page && !up_vmcall(UP_CALL_LOG, pfn, 0, 0, &len, &oldest)) {
		oldest -= len;
		if (!up_vmcall(UP_CALL_LOG, pfn, oldest + off, 0, &len, NULL)) {
			n = min_t(u64, len, count);
			memcpy(buf, page, n);
		}
	}
	free_page((unsigned long)page);
	return n;
}
static BIN_ATTR_ADMIN_RO(log, 0);

#define ATTR(name) \
	static struct kobj_attribute name##_attr = __ATTR(name, 0400, name##_show, NULL)
ATTR(state);
ATTR(image_hash);
ATTR(launch_nonce);
ATTR(iommu);
ATTR(launch_key);
ATTR(ticket_authority);
ATTR(host_identity);
ATTR(tpm);
ATTR(frames);
ATTR(cpus);
ATTR(exits_host);
ATTR(exits_vm);

static struct attribute *attrs[] = {
	&state_attr.attr, &image_hash_attr.attr, &launch_nonce_attr.attr, &launch_key_attr.attr,
	&ticket_authority_attr.attr, &host_identity_attr.attr, &tpm_attr.attr, &iommu_attr.attr,
	&frames_attr.attr, &cpus_attr.attr, &exits_host_attr.attr, &exits_vm_attr.attr, NULL
};

static struct bin_attribute *bin_attrs[] = { &bin_attr_log, NULL };

static const struct attribute_group group = { .attrs = attrs, .bin_attrs = bin_attrs };

int up_sysfs_init(void)
{
	int err;

	dir = kobject_create_and_add("underpin", kernel_kobj);
	if (!dir)
		return -ENOMEM;
	err = sysfs_create_group(dir, &group);
	if (err)
		up_sysfs_exit();
	return err;
}

void up_sysfs_exit(void)
{
	kobject_put(dir);
	dir = NULL;
}
