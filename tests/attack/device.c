// SPDX-License-Identifier: GPL-2.0
/* A device as the attacker: QEMU's edu, driven by root in user space. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "attack.h"
#include "edu.h"

#define LAYER_TRIES	8
#define EVIL		0x5151515151515151ULL

static uint64_t *own;		/* a page of ours */
static unsigned int rid;	/* the device's: bus, device, function */

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		note("%s: not taken", path);
	close(fd);
}

bool device_there(void)
{
	unsigned int bus, dev, fn;
	char dir[EDU_DIR];

	if (own)
		return true;
	if (!edu_find(dir))
		return false;
	/* Where Linux translates for the device, root has it pass through. */
	write_file(dir, "iommu_group/type", "identity");
	write_file(dir, "enable", "1");
	edu_use(dir);
	if (sscanf(strrchr(dir, '/'), "/%*x:%x:%x.%x", &bus, &dev, &fn) == 3)
		rid = bus << 8 | dev << 3 | fn;
	own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (own == MAP_FAILED || mlock(own, PAGE))
		err(1, "a page");
	return true;
}

static void fill(uint64_t word)
{
	unsigned int i;

	for (i = 0; i < PAGE / 8; i++)
		own[i] = word;
}

uint64_t device_page(void)
{
	return pagemap(getpid(), own) * PAGE;
}

unsigned int device_rid(void)
{
	return rid;
}

uint64_t *device_read(uint64_t pa)
{
	edu_copy(pa, false);
	fill(0);
	edu_copy(device_page(), true);
	return own;
}

void device_write(uint64_t pa, uint64_t word)
{
	fill(word);
	edu_copy(device_page(), false);
	edu_copy(pa, true);
}

bool device_finds_secret(struct victim *v, uint64_t pa)
{
	bool hit = has_secret(v, device_read(pa), EDU_BYTES);

	fill(0);
	return hit;
}

static bool read_by_device(struct victim *v)
{
	return device_finds_secret(v, pfn_of(v, SECRET_GPA) * PAGE);
}

static bool write_by_device(struct victim *v)
{
	device_write(pfn_of(v, SECRET_GPA) * PAGE, EVIL);
	return disturbed(v);
}

static unsigned int words_by_device(uint64_t pfn)
{
	unsigned int i, some = 0;

	device_read(pfn * PAGE);
	for (i = 0; i < EDU_BYTES / 8; i++)
		some += !!own[i];
	fill(0);
	return some;
}

/* A refusal reads as zeros, and so do unused frames of the pool: some of all are tried. */
static bool layer_by_device(struct victim *v)
{
	unsigned int i, some = 0, step = layer_pfns / LAYER_TRIES;

	if (!v->protected)
		return words_by_device(pfn_of(v, SECRET_GPA));
	for (i = 0; i < LAYER_TRIES && step && !some; i++) {
		some = words_by_device(layer_pfn[i * step]);
		note("frame %#lx: %u words", layer_pfn[i * step], some);
	}
	return some || !step;
}

const struct attack device_attacks[] = {
	{ 180, "a device reads the VM's frame", read_by_device, DEVICE },
	{ 181, "a device writes to the VM's frame", write_by_device, DEVICE | TAINTS },
	{ 182, "a device reads the layer's frames", layer_by_device, DEVICE },
	{ 0 }
};
