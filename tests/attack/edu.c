// SPDX-License-Identifier: GPL-2.0
/* QEMU's edu: the registers are in the text that QEMU's sources have of it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "edu.h"

#define DEVICES		"/sys/bus/pci/devices"
#define VENDOR_DEVICE	0x11e81234u
#define PCI_COMMAND	4
#define PCI_MASTER	6u	/* memory, bus master */
#define REGISTERS	4096
#define EDU_SOURCE	(0x80 / 8)
#define EDU_TARGET	(0x88 / 8)
#define EDU_COUNT	(0x90 / 8)
#define EDU_COMMAND	(0x98 / 8)
#define EDU_RUN		1u
#define EDU_TO_RAM	2u
#define EDU_BUFFER	0x40000u
#define EDU_MS		100	/* a copy takes so long; */
#define EDU_TURNS	20	/* after so many times that something is wrong */

static volatile uint64_t *edu;

static bool is_edu(const char *dir)
{
	char path[EDU_DIR + 16];
	uint32_t id = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDONLY);
	if (fd >= 0 && read(fd, &id, sizeof(id)) != sizeof(id))
		id = 0;
	close(fd);
	return id == VENDOR_DEVICE;
}

bool edu_find(char dir[EDU_DIR])
{
	DIR *d = opendir(DEVICES);
	struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		snprintf(dir, EDU_DIR, DEVICES "/%.64s", e->d_name);
		found = is_edu(dir);
	}
	if (d)
		closedir(d);
	return found;
}

void edu_use(const char *dir)
{
	char path[EDU_DIR + 16];
	uint16_t command = PCI_MASTER;
	void *regs;
	int fd;

	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDWR);
	if (fd < 0 || pwrite(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		err(1, "%s", path);
	close(fd);
	snprintf(path, sizeof(path), "%s/resource0", dir);
	fd = open(path, O_RDWR);
	regs = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (regs == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	edu = regs;
}

void edu_copy(uint64_t at, bool to_ram)
{
	int turns = EDU_TURNS;

	edu[EDU_SOURCE] = to_ram ? EDU_BUFFER : at;
	edu[EDU_TARGET] = to_ram ? at : EDU_BUFFER;
	edu[EDU_COUNT] = EDU_BYTES;
	edu[EDU_COMMAND] = EDU_RUN | (to_ram ? EDU_TO_RAM : 0);
	do {
		if (!turns--)
			errx(1, "the device does not end a copy");
		usleep(EDU_MS * 1000);
	} while (edu[EDU_COMMAND] & EDU_RUN);
}
