// SPDX-License-Identifier: GPL-2.0
/* Files that QEMU gives to the guest's firmware, through a window of that size. */
#define FW_HOSTED
#include "tests/proof/hostile/any.h"
#include "module/guest/layout.h"

extern u8 window[FW_WINDOW_PAGES * PAGE_SIZE];
#undef FW_WINDOW
#define FW_WINDOW	((u64)window)
#include "module/guest/fwcfg.c"

void hostile(void)
{
	static u8 kernel[3 * sizeof(window)];
	u16 key;
	u32 size;

	fwcfg_open();
	fwcfg_find("etc/e820", &key, &size);
	fwcfg_u32(FWCFG_KERNEL_SIZE);
	fwcfg_read(FWCFG_KERNEL_DATA, kernel, sizeof(kernel), NULL);
	fwcfg_close();
}
