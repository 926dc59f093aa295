// SPDX-License-Identifier: GPL-2.0
/* A kernel's setup of each length that the firmware reads, and where the kernel goes. */
#include "tests/proof/hostile/any.h"
#include "module/guest/bzimage.c"

void hostile(void)
{
	static u8 setup[BZIMAGE_SETUP_MAX];
	struct bzimage b;
	struct placement p;
	size_t len;
	u32 i;

	for (i = 0; i < sizeof(setup); i++)
		setup[i] = any;
	for (len = 0; len <= sizeof(setup); len += 512) {
		if (!bzimage_parse(setup + sizeof(setup) - len, len, &b)) {
			bzimage_canonical(setup + sizeof(setup) - len);
			bzimage_place(&b, any, any, &p);
		}
	}
}
