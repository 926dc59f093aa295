// SPDX-License-Identifier: GPL-2.0
/* /dev/underpin, with messages that name the cure. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"
#include "userspace/cli/observe.h"
#include "userspace/cli/sysfile.h"

int device_open(void)
{
	/* What a report has not got is not there: it needs no layer. */
	int fd = open(observe_replaying() ? "/dev/null" : UNDERPIN_DEVICE, O_RDWR | O_CLOEXEC);

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

/* What look_call() asks, and of which descriptor: a key has no room for either. */
static struct {
	int dev;
	unsigned long cmd;
	const void *args;
	size_t size;
} call;

static char *look_call(const char *key, size_t *len)
{
	char *args = malloc(call.size + 1);

	(void)key;
	if (!args)
		abort();
	memcpy(args, call.args, call.size);
	args[call.size] = 0;
	*len = call.size;
	if (!ioctl(call.dev, call.cmd, args))
		return args;
	free(args);
	return NULL;
}

/* A call of the device whose answer a report can hold. */
static int see_call(int dev, unsigned long cmd, void *args, const char *key)
{
	size_t len, size = _IOC_SIZE(cmd);
	char *answer;

	call.dev = dev;
	call.cmd = cmd;
	call.args = args;
	call.size = size;
	answer = observe(key, &len, look_call);
	if (answer && len == size)
		memcpy(args, answer, size);
	else if (answer)
		errno = ENODATA;
	free(answer);
	return answer && len == size ? 0 : -1;
}

int device_status(int dev, uint32_t cpu, struct underpin_status *st)
{
	char key[32] = "device status";

	memset(st, 0, sizeof(*st));
	st->cpu = cpu;
	if (cpu != UNDERPIN_CPU_NONE)
		snprintf(key, sizeof(key), "device status %u", cpu);
	if (!see_call(dev, UNDERPIN_STATUS, st, key))
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
	char key[32];

	memset(info, 0, sizeof(*info));
	info->id = id;
	snprintf(key, sizeof(key), "device vm %u", id);
	if (!see_call(dev, UNDERPIN_VM_INFO, info, key)) {
		info->death[sizeof(info->death) - 1] = 0;
		return 0;
	}
	if (errno == ENOENT)
		cli_error("there is no protected VM %u; \"underpin vm list\" shows those there are",
			  id);
	else
		cli_error("VM %u: %s", id, strerror(errno));
	return -1;
}

/* The numbers themselves: the call's argument only says where they go. */
static char *look_ids(const char *key, size_t *len)
{
	uint32_t ids[UNDERPIN_MAX_VMS + 1] = { };
	struct underpin_vm_list list = {
		.ids = (uintptr_t)ids, .count = UNDERPIN_MAX_VMS,
	};
	char *copy;

	(void)key;
	if (ioctl(call.dev, UNDERPIN_VM_LIST, &list))
		return NULL;
	if (list.count > UNDERPIN_MAX_VMS)
		list.count = UNDERPIN_MAX_VMS;
	*len = list.count * sizeof(*ids);
	copy = malloc(sizeof(ids));	/* what is behind the last one is zero */
	if (!copy)
		abort();
	memcpy(copy, ids, sizeof(ids));
	return copy;
}

int device_vm_ids(int dev, uint32_t *ids)
{
	size_t len;
	char *data;

	call.dev = dev;
	data = observe("device vms", &len, look_ids);
	if (!data) {
		cli_error("listing VMs: %s", strerror(errno));
		return -1;
	}
	if (len > UNDERPIN_MAX_VMS * sizeof(*ids))
		len = UNDERPIN_MAX_VMS * sizeof(*ids);
	memcpy(ids, data, len);
	free(data);
	return len / sizeof(*ids);
}
