// SPDX-License-Identifier: GPL-2.0
/*
 * The TPM, as far as the host side helps the layer with it: its localities 1 to 4 are kept
 * from the host, and the layer is called until its events are in PCR 19.
 */
#define pr_fmt(fmt) "underpin: " fmt

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "module.h"

#define DID_VID		0xf00	/* PC Client Platform TPM Profile, 6.5.1 */
#define POLL_US		300

static bool present;

int up_tpm_keep(void)
{
	void __iomem *regs = ioremap(UP_TPM_KEPT, PAGE_SIZE);
	u32 id;

	if (!regs)
		return -ENOMEM;
	id = readl(regs + DID_VID);
	iounmap(regs);
	present = id && id != ~0U;
	return present ? up_device_add(UP_TPM_KEPT, UP_TPM_KEPT_SIZE) : 0;
}

void up_tpm_extend(bool end)
{
	long ret;

	/* Once Linux has shut the TPM down, its state is left as it is: a reset comes. */
	if (system_state != SYSTEM_RUNNING)
		return;
	if (!present) {
		up_weak_extend(end);
		return;
	}
	do {
		ret = up_vmcall(UP_CALL_TPM, end, 0, 0, NULL, NULL);
		if (ret == -EAGAIN)
			usleep_range(POLL_US, 2 * POLL_US);
	} while (ret == -EAGAIN);
	if (ret)
		pr_warn("the TPM does not have %s in PCR 19: error %ld; see tpm in sysfs\n",
			end ? "the launch's end" : "all of the launch", ret);
}
