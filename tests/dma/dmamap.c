// SPDX-License-Identifier: GPL-2.0
/*
 * What it takes to map a page for a device and to unmap it.  Loaded, it has edu for its device,
 * does both n times, and says the ticks of each in the kernel log.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/timex.h>

static unsigned int n = 1;
module_param(n, uint, 0400);
MODULE_PARM_DESC(n, "how often");

static int map_and_unmap(struct device *dev, void *page)
{
	u64 start, mapped = 0, unmapped = 0;
	dma_addr_t at;
	unsigned int i;

	for (i = 0; i < n; i++) {
		start = get_cycles();
		at = dma_map_single(dev, page, PAGE_SIZE, DMA_BIDIRECTIONAL);
		mapped += get_cycles() - start;
		if (dma_mapping_error(dev, at))
			return -ENOMEM;
		start = get_cycles();
		dma_unmap_single(dev, at, PAGE_SIZE, DMA_BIDIRECTIONAL);
		unmapped += get_cycles() - start;
	}
	dev_info(dev, "map %llu unmap %llu ticks\n", mapped / n, unmapped / n);
	return 0;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void *page;
	int err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));

	if (err)
		return err;
	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	err = map_and_unmap(&pdev->dev, page);
	free_page((unsigned long)page);
	return err;
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver dmamap = {
	.name = "dmamap",
	.id_table = ids,
	.probe = probe,
};
module_pci_driver(dmamap);

MODULE_DESCRIPTION("Ticks of mapping a page for a device");
MODULE_LICENSE("GPL");
