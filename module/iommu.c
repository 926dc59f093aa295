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
#define CAP		0x08
#define CAP_CM		BIT(7)		/* caching mode */
#define ECAP		0x10
#define GSTS		0x1c
#define GSTS_IRES	BIT(25)
#define MAX_UNITS	128

static u8 *table;
static u32 table_bytes;
static unsigned int interrupts;		/* units that remap interrupts */
static struct {
	u64 base, cap, ecap;
	u64 *driver;			/* the driver's copy of cap, in which CM was set */
} units[MAX_UNITS];
static unsigned int nunits;
static bool announced;

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
	if (nunits < MAX_UNITS) {
		units[nunits].base = base;
		units[nunits].cap = readq(regs + CAP);
		units[nunits++].ecap = readq(regs + ECAP);
	}
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

/*
 * Where Linux translates, root copies its tables, and has to hear of what is new in them.  The
 * driver announces that to units in caching mode alone, by what it has read of the capabilities
 * when it began.  In its struct intel_iommu the register's address, the size of what is mapped,
 * CAP and ECAP are four words in a row: before @iommu, in the same page.
 */
static u64 *caps_of_driver(const struct iommu_device *iommu, unsigned int i)
{
	u64 *page = (u64 *)((unsigned long)iommu & PAGE_MASK), *w = (u64 *)iommu;

	for (w -= 4; w >= page; w--)
		if (w[0] == units[i].base && w[2] == units[i].cap && w[3] == units[i].ecap)
			return &w[2];
	return NULL;
}

static int announce(struct device *dev, void *count)
{
	const struct iommu_device *iommu = dev_get_drvdata(dev);
	u64 *caps = NULL;
	unsigned int i;

	for (i = 0; i < nunits && iommu && !caps; i++) {
		caps = caps_of_driver(iommu, i);
		if (!caps)
			continue;
		++*(unsigned int *)count;
		if (units[i].cap & CAP_CM)
			continue;
		units[i].driver = caps;
		WRITE_ONCE(*caps, units[i].cap | CAP_CM);
	}
	return 0;
}

/* Each unit's driver, or root will not do with it. */
static void announce_all(const struct iommu_device *any)
{
	unsigned int count = 0;

	class_for_each_device(any->dev->class, NULL, &count, announce);
	announced = nunits && count == nunits;
	if (!announced)
		pr_warn("%u of %u units' drivers can be told to announce what they map\n", count,
			nunits);
}

static void announce_no_more(void)
{
	unsigned int i;

	for (i = 0; i < nunits; i++)
		if (units[i].driver)
			WRITE_ONCE(*units[i].driver, units[i].cap);
	memset(units, 0, sizeof(units));
	nunits = 0;
	announced = false;
}

bool up_iommu_announced(void)
{
	return announced;
}

/* Some unit's, if a driver uses them: that of a device which is behind one. */
static const struct iommu_device *find_driver(void)
{
	const struct iommu_device *iommu = NULL;
	struct pci_dev *dev = NULL;

	while (!iommu && (dev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, dev)))
		if (iommu_get_domain_for_dev(&dev->dev))
			iommu = dev->dev.iommu->iommu_dev;
	pci_dev_put(dev);
	return iommu;
}

/* Passed through?  Who translates otherwise is refused by root, and goes on as it is. */
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
		if (dev->ats_enabled && (announced || is_passed_through(dev)))
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
	const struct iommu_device *driver;
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
	driver = err ? NULL : find_driver();
	if (driver)
		announce_all(driver);
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
	announce_no_more();
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

void up_iommu_launched(void)
{
	struct up_status *st = up_get_status(0);

	/* Linux's own they are, and stay. */
	if (st && st->iommu == UP_IOMMU_NONE) {
		start_all_ats();
		announce_no_more();
	}
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
