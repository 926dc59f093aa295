// SPDX-License-Identifier: GPL-2.0
/*
 * VT-d, as far as the launch needs the host's help: firmware's table, where units have their
 * registers, memory for interrupt tables, and devices that ask units for translations.  Root
 * judges all of it itself (iommu/launch.c).
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/acpi.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "module.h"
#include "vmx/abi/iommu.h"

static bool allow_no_iommu;
module_param(allow_no_iommu, bool, 0400);
MODULE_PARM_DESC(allow_no_iommu,
		 "protect VMs although no IOMMU keeps devices from their memory (default 0)");

/* VT-d specification 8.1, 8.3, 11.4: the table's and a unit's fields that matter here */
#define TABLE_HEADER	48
#define TABLE_MAX	0x10000
#define ENTRY_DRHD	0
#define DRHD_BYTES	16
#define GSTS		0x1c
#define GSTS_IRES	BIT(25)

static u8 *table;
static u32 table_bytes;
static unsigned int interrupts;		/* units that remap interrupts */

static u64 get(const u8 *p, unsigned int bytes)
{
	u64 val = 0;

	while (bytes--)
		val = val << 8 | p[bytes];
	return val;
}

static int add_unit(const u8 *drhd)
{
	u64 base = get(drhd + 8, 8);
	void __iomem *regs = ioremap(base, PAGE_SIZE);

	if (!regs)
		return -ENOMEM;
	interrupts += !!(readl(regs + GSTS) & GSTS_IRES);
	iounmap(regs);
	return up_device_add(base, PAGE_SIZE << (drhd[5] & 15));
}

/* Of what is malformed, or too much, none: root refuses it, and says so. */
static int add_units(void)
{
	u32 at = TABLE_HEADER, len;
	int err = 0;

	for (; !err && at + 4 <= table_bytes; at += len) {
		len = get(table + at + 2, 2);
		if (len < 4 || len > table_bytes - at)
			break;
		if (get(table + at, 2) == ENTRY_DRHD && len >= DRHD_BYTES)
			err = add_unit(table + at);
	}
	if (!err || err == -ENOMEM)
		return err;
	up_devices_forget();
	interrupts = 0;
	return 0;
}

struct ats_device {
	struct list_head node;
	struct pci_dev *dev;
	int stu;		/* smallest translation unit, a shift */
};

static LIST_HEAD(ats_devices);

/* Passed through?  Who translates is refused by root, and goes on as it is. */
static bool is_passed_through(struct pci_dev *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&dev->dev);

	return domain && domain->type == IOMMU_DOMAIN_IDENTITY;
}

static int stop_ats(struct pci_dev *dev)
{
	struct ats_device *a = kmalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	*a = (struct ats_device){ .dev = pci_dev_get(dev), .stu = dev->ats_stu };
	list_add(&a->node, &ats_devices);
	pci_info(dev, "underpin: address translation services are off meanwhile\n");
	pci_disable_ats(dev);
	return 0;
}

/*
 * A device that keeps translations of its own sends translated addresses, which the layer's
 * tables refuse.  Linux's driver goes on believing that they are on: what it tells such a
 * device to forget the layer drops.
 */
static int stop_all_ats(void)
{
	struct pci_dev *dev = NULL;
	int err = 0;

	while (!err && (dev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, dev)))
		if (dev->ats_enabled && is_passed_through(dev))
			err = stop_ats(dev);
	pci_dev_put(err ? dev : NULL);
	return err;
}

static void start_all_ats(void)
{
	struct ats_device *a, *next;

	list_for_each_entry_safe(a, next, &ats_devices, node) {
		if (pci_enable_ats(a->dev, a->stu))
			pci_warn(a->dev, "underpin: address translation services stay off\n");
		pci_dev_put(a->dev);
		kfree(a);
	}
	INIT_LIST_HEAD(&ats_devices);
}

int up_iommu_find(void)
{
	struct acpi_table_header *t;
	int err = -ENOMEM;

	up_iommu_forget();
	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 0, &t)))
		return 0;
	if (t->length <= TABLE_MAX)
		table = kmemdup(t, t->length, GFP_KERNEL);
	if (table) {
		table_bytes = t->length;
		err = add_units();
	} else if (t->length > TABLE_MAX) {
		err = 0;
	}
	acpi_put_table(t);
	err = err ?: stop_all_ats();
	if (err)
		pr_err("the DMAR table's units cannot be used: error %d\n", err);
	return err;
}

void up_iommu_forget(void)
{
	kfree(table);
	table = NULL;
	table_bytes = 0;
	interrupts = 0;
	up_devices_forget();
	start_all_ats();
}

const u8 *up_iommu_table(u32 *bytes)
{
	*bytes = table_bytes;
	return table;
}

unsigned int up_iommu_interrupts(void)
{
	return interrupts;
}

#define WORDS(name, found, cure) { found, cure },
static const struct {
	const char *found, *cure;
} words[] = { { }, UP_IOMMU_REASONS(WORDS) };

/* What root says is a number of its own list. */
int up_iommu_show(const struct up_status *st, char *buf)
{
	static const char * const states[] = { "none", "partial", "full" };
	int n = sysfs_emit(buf, "%s\nallow_no_iommu %u\nunits %u\nfaults %llu\n",
			   states[min(st->iommu, 2u)], st->allow_no_iommu, st->iommu_units,
			   st->iommu_faults);

	if (st->iommu_reason && st->iommu_reason < ARRAY_SIZE(words))
		n += sysfs_emit_at(buf, n, "reason %s\ncure %s\n", words[st->iommu_reason].found,
				   words[st->iommu_reason].cure);
	return n;
}

void up_iommu_say(void)
{
	struct up_status *st = up_get_status(0);

	if (st && st->iommu_reason && st->iommu_reason < ARRAY_SIZE(words))
		pr_warn("%s: %s: %s\n", st->iommu == UP_IOMMU_PARTIAL ?
			"devices are kept from memory" : st->allow_no_iommu ?
			"VMs are protected from software alone (allow_no_iommu=1)" :
			"no VM will be protected", words[st->iommu_reason].found,
			words[st->iommu_reason].cure);
	free_page((unsigned long)st);
}

bool up_iommu_allow_none(void)
{
	return allow_no_iommu;
}
