// SPDX-License-Identifier: GPL-2.0
/*
 * A device as the attacker: QEMU's edu, which copies between its buffer and any address,
 * driven by root in user space.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "attack.h"

#define DEVICES		"/sys/bus/pci/devices"
#define VENDOR_DEVICE	0x11e81234u
#define PCI_COMMAND	4
#define PCI_MASTER	6u	/* memory, bus master */
#define EDU_SOURCE	(0x80 / 8)
#define EDU_TARGET	(0x88 / 8)
#define EDU_COUNT	(0x90 / 8)
#define EDU_COMMAND	(0x98 / 8)
#define EDU_RUN		1u
#define EDU_TO_RAM	2u
#define EDU_BUFFER	0x40000u
#define EDU_MS		100	/* a copy takes so long, */
#define EDU_MAX_MS	2000	/* or something is wrong */
#define LAYER_TRIES	8
#define EVIL		0x5151515151515151ULL

static volatile uint64_t *edu;
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

/* Where Linux translates for the device, root has it pass through. */
static volatile uint64_t *use_device(const char *dir)
{
	char path[160];
	uint16_t command = PCI_MASTER;
	void *regs;
	int fd;

	write_file(dir, "iommu_group/type", "identity");
	write_file(dir, "enable", "1");
	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDWR);
	if (fd < 0 || pwrite(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		err(1, "%s", path);
	close(fd);
	snprintf(path, sizeof(path), "%s/resource0", dir);
	fd = open(path, O_RDWR);
	regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (regs == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return regs;
}

static bool is_edu(const char *dir)
{
	char path[160];
	uint32_t id = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDONLY);
	if (fd >= 0 && read(fd, &id, sizeof(id)) != sizeof(id))
		id = 0;
	close(fd);
	return id == VENDOR_DEVICE;
}

bool device_there(void)
{
	DIR *d = opendir(DEVICES);
	unsigned int bus, dev, fn;
	struct dirent *e;
	char dir[128];

	while (d && !edu && (e = readdir(d))) {
		snprintf(dir, sizeof(dir), DEVICES "/%.64s", e->d_name);
		if (!is_edu(dir))
			continue;
		edu = use_device(dir);
		if (sscanf(e->d_name, "%*x:%x:%x.%x", &bus, &dev, &fn) == 3)
			rid = bus << 8 | dev << 3 | fn;
	}
	if (d)
		closedir(d);
	if (edu && !own) {
		own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (own == MAP_FAILED || mlock(own, PAGE))
			err(1, "a page");
	}
	return edu;
}

static void copy(uint64_t pa, bool to_ram)
{
	uint64_t end = now_ms() + EDU_MAX_MS;

	edu[EDU_SOURCE] = to_ram ? EDU_BUFFER : pa;
	edu[EDU_TARGET] = to_ram ? pa : EDU_BUFFER;
	edu[EDU_COUNT] = EDU_BYTES;
	edu[EDU_COMMAND] = EDU_RUN | (to_ram ? EDU_TO_RAM : 0);
	do {
		if (now_ms() > end)
			errx(1, "the device does not end a copy");
		nap(EDU_MS);
	} while (edu[EDU_COMMAND] & EDU_RUN);
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
	copy(pa, false);
	fill(0);
	copy(device_page(), true);
	return own;
}

void device_write(uint64_t pa, uint64_t word)
{
	fill(word);
	copy(device_page(), false);
	copy(pa, true);
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
