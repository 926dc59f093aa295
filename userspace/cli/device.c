// SPDX-License-Identifier: GPL-2.0
/* /dev/underpin, with messages that name the cure. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/cli/sysfile.h"

int device_open(void)
{
	int fd = open(UNDERPIN_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		cli_error("%s does not exist: the layer is not loaded; insmod underpin.ko",
			  UNDERPIN_DEVICE);
	else if (errno == EACCES || errno == EPERM)
		cli_error("%s: %s; run this as root", UNDERPIN_DEVICE, strerror(errno));
	else
		cli_error("%s: %s", UNDERPIN_DEVICE, strerror(errno));
	return -1;
}

char *device_state(void)
{
	char *state = sysfile_line("/sys/kernel/underpin/state");

	return state ? state : strdup("unknown");
}

char *device_iommu(const char *key)
{
	char *text = sysfile_read(NULL, "/sys/kernel/underpin/iommu"), *rest = text, *line;
	size_t len = key ? strlen(key) : 0;
	char *value = NULL;

	while (rest && !value && (line = strsep(&rest, "\n"))) {
		if (!key)
			value = strdup(line);
		else if (!strncmp(line, key, len) && line[len] == ' ')
			value = strdup(line + len + 1);
	}
	free(text);
	return value;
}

char *device_tpm(void)
{
	return sysfile_line("/sys/kernel/underpin/tpm");
}

bool device_is_weak(void)
{
	char *tpm = device_tpm();
	bool weak = tpm && !strncmp(tpm, "weak ", 5);

	free(tpm);
	return weak;
}

char *device_key(const char *name)
{
	char *key = sysfile_line("/sys/kernel/underpin/%s", name);

	if (key && strcmp(key, "none"))
		return key;
	free(key);
	return NULL;
}

int device_status(int dev, uint32_t cpu, struct underpin_status *st)
{
	memset(st, 0, sizeof(*st));
	st->cpu = cpu;
	if (!ioctl(dev, UNDERPIN_STATUS, st))
		return 0;
	if (errno == ENODEV)
		cli_error("underpin.ko is loaded, but no layer answers beneath this host: reboot, then insmod underpin.ko");
	else if (cpu == UNDERPIN_CPU_NONE)
		cli_error("status of the layer: %s", strerror(errno));
	else
		cli_error("status of CPU %u: %s", cpu, strerror(errno));
	return -1;
}

int device_vm_info(int dev, uint32_t id, struct underpin_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->id = id;
	if (!ioctl(dev, UNDERPIN_VM_INFO, info))
		return 0;
	if (errno == ENOENT)
		cli_error("there is no protected VM %u; \"underpin vm list\" shows those there are",
			  id);
	else
		cli_error("VM %u: %s", id, strerror(errno));
	return -1;
}

int device_vm_ids(int dev, uint32_t *ids)
{
	struct underpin_vm_list list = {
		.ids = (uintptr_t)ids, .count = UNDERPIN_MAX_VMS,
	};

	if (!ioctl(dev, UNDERPIN_VM_LIST, &list))
		return list.count < UNDERPIN_MAX_VMS ? list.count : UNDERPIN_MAX_VMS;
	cli_error("listing VMs: %s", strerror(errno));
	return -1;
}
