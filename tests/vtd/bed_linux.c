// SPDX-License-Identifier: GPL-2.0
/*
 * The bed for VT-d, Linux's half: the same ept/ and iommu/ as in the root image drive the
 * unit of a QEMU without VMX, and edu, a device that copies to and from any address,
 * attacks.  bed_linux.c knows Linux, cases.c the layer.
 */
#include <linux/acpi.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vmalloc.h>

#include "bed.h"

#define EDU_SOURCE	0x80
#define EDU_TARGET	0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_RUN		1
#define EDU_TO_RAM	2
#define EDU_BUFFER	0x40000
#define EDU_OFFSET	0x2000000000UL
#define LAYER_ORDER	10
#define FRAMES_ORDER	5

static unsigned int cycles = 1000;
module_param(cycles, uint, 0);
static unsigned int use = 1;
module_param(use, uint, 0);
static bool registers;
module_param(registers, bool, 0);
static char *drop = "";
module_param(drop, charp, 0);

struct bed bed;

static void __iomem *edu;
static struct pci_dev *edu_dev;

void bed_edu(unsigned long pa, int to_ram)
{
	pa += bed.offset;
	writeq(to_ram ? EDU_BUFFER : pa, edu + EDU_SOURCE);
	writeq(to_ram ? pa : EDU_BUFFER, edu + EDU_TARGET);
	writeq(BED_EDU_BYTES, edu + EDU_COUNT);
	writeq(EDU_RUN | (to_ram ? EDU_TO_RAM : 0), edu + EDU_COMMAND);
	while (readq(edu + EDU_COMMAND) & EDU_RUN)
		usleep_range(20000, 50000);
}

void bed_vsay(const char *fmt, va_list args)
{
	static char line[256];

	vsnprintf(line, sizeof(line), fmt, args);
	pr_info("%s\n", line);
}

void bed_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bed_vsay(fmt, args);
	va_end(args);
}

void bed_die(void)
{
	panic("bed: the layer cannot go on");
}

static int add_ram(struct resource *r, void *unused)
{
	u64 start = PFN_UP(r->start), end = PFN_DOWN(r->end + 1);

	if (bed.ranges == BED_RANGES || start >= end)
		return -ENOSPC;
	bed.ram[bed.ranges].start_pfn = start;
	bed.ram[bed.ranges].end_pfn = end;
	bed.ranges++;
	bed.table_frames = end;
	return 0;
}

static int find_edu(void)
{
	struct pci_dev *dev = pci_get_device(0x1234, 0x11e8, NULL);

	if (!dev || pci_enable_device(dev))
		return -ENODEV;
	pci_set_master(dev);
	edu_dev = dev;
	edu = ioremap(pci_resource_start(dev, 0), PAGE_SIZE);
	bed.source = dev->bus->number << 8 | dev->devfn;
	return edu ? 0 : -ENOMEM;
}

static int find_unit(void)
{
	struct acpi_table_header *t;
	struct acpi_dmar_hardware_unit *u;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 1, &t)))
		return -ENODEV;
	bed.dmar = (const unsigned char *)t;
	bed.dmar_bytes = t->length;
	u = (void *)t + sizeof(struct acpi_table_dmar);
	bed.regs_pa = u->address;
	bed.regs_bytes = PAGE_SIZE;
	bed.regs = (unsigned long)ioremap(u->address, PAGE_SIZE);
	return bed.regs ? 0 : -ENOMEM;
}

static int find_memory(void)
{
	struct page *layer = alloc_pages(GFP_KERNEL, LAYER_ORDER);
	struct page *frames = alloc_pages(GFP_KERNEL, FRAMES_ORDER);
	int err = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				      0, -1, NULL, add_ram);

	if (err || !layer || !frames)
		return err ? err : -ENOMEM;
	bed.direct = PAGE_OFFSET;
	bed.owner_table = (unsigned long)vzalloc(bed.table_frames * sizeof(u64));
	bed.layer_pfn = page_to_pfn(layer);
	bed.layer_frames = 1 << LAYER_ORDER;
	bed.frames_pfn = page_to_pfn(frames);
	bed.pattern_pa = page_to_phys(frames + BED_FRAMES + 1);
	bed.result_pa = page_to_phys(frames + BED_FRAMES + 2);
	bed.maxphyaddr = boot_cpu_data.x86_phys_bits;
	return bed.owner_table ? 0 : -ENOMEM;
}

/*
 * Where Linux translates, edu's domain has all that the cases are about, the layer's frames and
 * the unit's registers among it, at an offset: host root can have that.
 */
static int map_for_edu(struct pci_dev *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&dev->dev);
	const struct { unsigned long pa, bytes; } all[] = {
		{ bed.layer_pfn << PAGE_SHIFT, PAGE_SIZE << LAYER_ORDER },
		{ bed.frames_pfn << PAGE_SHIFT, PAGE_SIZE << FRAMES_ORDER },
		{ bed.regs_pa, bed.regs_bytes },
	};
	unsigned int i;
	int err = 0;

	if (!domain || domain->type == IOMMU_DOMAIN_IDENTITY)
		return -EINVAL;
	bed.offset = EDU_OFFSET;
	for (i = 0; i < ARRAY_SIZE(all) && !err; i++)
		err = iommu_map(domain, bed.offset + all[i].pa, all[i].pa, all[i].bytes,
				IOMMU_READ | IOMMU_WRITE);
	return err;
}

static void unmap_for_edu(struct pci_dev *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&dev->dev);

	iommu_unmap(domain, bed.offset + (bed.layer_pfn << PAGE_SHIFT), PAGE_SIZE << LAYER_ORDER);
	iommu_unmap(domain, bed.offset + (bed.frames_pfn << PAGE_SHIFT),
		    PAGE_SIZE << FRAMES_ORDER);
	iommu_unmap(domain, bed.offset + bed.regs_pa, bed.regs_bytes);
}

static int __init bed_init(void)
{
	int err = find_edu();

	if (!err)
		err = find_unit();
	if (!err)
		err = find_memory();
	if (!err && use == 3)
		err = map_for_edu(edu_dev);
	if (err) {
		pr_err("bed: cannot begin: %d\n", err);
		return err;
	}
	bed.cycles = cycles;
	bed.use = use;
	bed.registers = registers;
	bed.drop = drop;
	bed_run();
	/* By its own queue, with its own tables. */
	if (bed.offset)
		unmap_for_edu(edu_dev);
	return 0;
}

/* What it has allocated stays: the machine ends soon. */
static void __exit bed_exit(void)
{
	iounmap((void __iomem *)bed.regs);
	iounmap(edu);
}

module_init(bed_init);
module_exit(bed_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ept/ and iommu/ against edu, without VMX");
