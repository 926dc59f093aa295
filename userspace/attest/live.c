// SPDX-License-Identifier: GPL-2.0
/* What the layer beneath this host says: /dev/underpin. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "userspace/attest/launchlog.h"
#include "userspace/attest/live.h"
#include "userspace/cli/cli.h"
#include "userspace/cli/device.h"

#define LOG_ROOM	(LAUNCH_COUNT * (LAUNCH_CONTENT + 200u))

static int failed(const char *what)
{
	if (errno == EOPNOTSUPP)
		cli_error("%s: this launch has no key: the processor has no random numbers (RDSEED, RDRAND), or always the same",
			  what);
	else if (errno == ENOENT)
		cli_error("%s: there is no such protected VM; see underpin vm list", what);
	else
		cli_error("%s: %s", what, strerror(errno));
	return -1;
}

/* One ioctl of the device. */
static int ask(unsigned long cmd, void *args, const char *what)
{
	int dev = device_open(), ret;

	if (dev < 0)
		return -1;
	ret = ioctl(dev, cmd, args) ? failed(what) : 0;
	close(dev);
	return ret;
}

static int write_log(struct evidence *e, const struct underpin_attest *a)
{
	static const char * const iommu[] = {
		[UNDERPIN_IOMMU_NONE] = "none", [UNDERPIN_IOMMU_PARTIAL] = "partial",
		[UNDERPIN_IOMMU_FULL] = "full",
	};
	const char *word = a->iommu < ARRAY_SIZE(iommu) ? iommu[a->iommu] : "unknown";
	uint32_t pcr = device_is_weak() ? PCR_WEAK : PCR_STRONG;
	uint8_t *log = malloc(LOG_ROOM);
	size_t len = 0;

	if (!log) {
		cli_error("the launch's log: %s", strerror(errno));
		return -1;
	}
	launch_log_write(log, &len, pcr, LAUNCH_IMAGE, a->image_sha256, SHA256_SIZE);
	launch_log_write(log, &len, pcr, LAUNCH_CONFIG, a->settings, sizeof(a->settings));
	launch_log_write(log, &len, pcr, LAUNCH_IOMMU, word, (uint32_t)strlen(word));
	launch_log_write(log, &len, pcr, LAUNCH_KEY, a->key, PUBLIC_SIZE);
	e->launch_log = (struct bytes){ log, len };
	return 0;
}

int live_launch(struct evidence *e)
{
	struct underpin_attest a = { };

	memcpy(a.nonce, e->nonce, NONCE_SIZE);
	if (ask(UNDERPIN_ATTEST, &a, "the layer's signature"))
		return -1;
	e->flags = a.weaknesses;
	memcpy(e->public, a.key, PUBLIC_SIZE);
	memcpy(e->launch_signature, a.signature, SIGNATURE_SIZE);
	return write_log(e, &a);
}

int live_vm(struct evidence *e, uint32_t id)
{
	struct underpin_vm_report r = { .id = id };

	memcpy(r.data, e->nonce, NONCE_SIZE);
	if (ask(UNDERPIN_VM_REPORT, &r, "the VM's report"))
		return -1;
	e->has_vm = true;
	memcpy(e->vm_report, r.report, REPORT_SIZE);
	memcpy(e->vm_signature, r.signature, SIGNATURE_SIZE);
	return 0;
}
