/* SPDX-License-Identifier: GPL-2.0 */
/* The mark of the guest's secret, in a form in which nobody finds it by searching. */
#ifndef TRY_MARK_H
#define TRY_MARK_H

#include <stdint.h>

#define MARK_SIZE	16
#define MARK_XOR	0x5a

static const uint8_t mark_half[MARK_SIZE] = {
	'k' ^ 1, 'e' ^ 2, 'e' ^ 3, 'p' ^ 4, ' ' ^ 5, 't' ^ 6, 'h' ^ 7, 'i' ^ 8,
	's' ^ 9, ' ' ^ 10, 's' ^ 11, 'e' ^ 12, 'c' ^ 13, 'r' ^ 14, 'e' ^ 15, 't' ^ 16,
};

#endif /* TRY_MARK_H */
