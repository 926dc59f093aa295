// SPDX-License-Identifier: GPL-2.0
/* Requirement: the layer can watch where sleep states are entered (module/sleep.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "userspace/check/check.h"
#include "userspace/cli/sysfile.h"

#define PCI	"/sys/bus/pci/devices"

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le_bytes(p, 4);
}

/* A device on bus 0 that moves the ports, by its configuration space as far as it is shown. */
static void check_device_at(struct check_report *r, const char *name, uint32_t pm1a)
{
	unsigned int slot, function;
	uint8_t *config;
	uint32_t id;
	size_t len;

	if (sscanf(name, "0000:00:%x.%x", &slot, &function) != 2)
		return;
	config = (uint8_t *)sysfile_head(&len, PCI "/%s/config", name);
	if (config && len >= PM_BASE_LOCKS + 4) {
		id = le32(config);
		if (id != PCI_ID_PIIX4 &&
		    pm_base_state(id, le32(config + PM_BASE), le32(config + PM_BASE_LOCKS),
				  pm1a) == BASE_LOOSE)
			check_pass(r, "I/O ports; insmod locks the ACPI base in PCI device %02x.%x",
				   slot, function);
	}
	free(config);
}

static void check_devices(struct check_report *r, uint32_t pm1a)
{
	char *names = sysfile_names(PCI), *rest = names, *name;

	while ((name = strsep(&rest, "\n")))
		check_device_at(r, name, pm1a);
	free(names);
}

enum check_result check_fadt(struct check_report *r, const uint8_t *fadt, size_t len)
{
	uint32_t port[2] = { };

	switch (fadt_pm1(fadt, (uint32_t)len, port)) {
	case FADT_FINE:
		check_pass(r, "I/O ports");
		check_devices(r, port[0]);
		return CHECK_PASS;
	case FADT_MALFORMED:
		return check_need(r, BAD_FADT);
	case FADT_NO_PM1:
		return check_need(r, REDUCED);
	case FADT_PM1A_ODD:
		return check_need(r, PM1, 'a');
	default:
		return check_need(r, PM1, 'b');
	}
}

enum check_result check_sleep_ports(struct check_report *r)
{
	enum check_result ret;
	size_t len;
	char *fadt = sysfile_read(&len, "/sys/firmware/acpi/tables/FACP");

	if (!fadt && errno == ENOENT)
		return check_need(r, NO_FADT);
	if (!fadt)
		return check_skip(r, "ACPI's FADT cannot be read: %s", strerror(errno));
	ret = check_fadt(r, (uint8_t *)fadt, len);
	free(fadt);
	return ret;
}
