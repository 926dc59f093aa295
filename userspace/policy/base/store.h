/* SPDX-License-Identifier: GPL-2.0-only */
/* The block that an image lives in, in memory and in a file alike. */
#ifndef POL_STORE_H
#define POL_STORE_H

#include "base/image.h"

enum {
#define X(name, type) SEC_##name,
	POL_SECTIONS(X)
#undef X
	STORE_NSECTIONS
};

struct store_section {
	const void *data;
	uint32_t n;
};

/**
 * store_build() - lay out sections in one read-only block
 * @s: STORE_NSECTIONS sections, in POL_SECTIONS' order
 * @cloud: string number of the cloud's name
 *
 * Return: the image, or NULL without memory.
 */
struct pol_image *store_build(const struct store_section *s, uint32_t cloud);

#endif
