/* SPDX-License-Identifier: GPL-2.0 */
/* Any values; and what a copy needs of both of its ends. */
#ifndef PROOF_ANY_H
#define PROOF_ANY_H

#include "vmx/base/lib.h"

/* Read anew each time, as is whatever READ_ONCE() looks at. */
static volatile u64 any;

/*@ requires dst: len == 0 || \valid((u8 *)dst + (0 .. len - 1));
    requires src: len == 0 || \valid_read((u8 *)src + (0 .. len - 1));
    assigns *((u8 *)dst + (0 .. len - 1)) \from *((u8 *)src + (0 .. len - 1));
    assigns \result \from dst; ensures \result == dst; */
void *memcpy(void *dst, const void *src, size_t len);

/*@ requires dst: len == 0 || \valid((u8 *)dst + (0 .. len - 1));
    assigns *((u8 *)dst + (0 .. len - 1)) \from byte;
    assigns \result \from dst; ensures \result == dst; */
void *memset(void *dst, int byte, size_t len);

/*@ requires both: len == 0 || (\valid_read((u8 *)a + (0 .. len - 1)) &&
	\valid_read((u8 *)b + (0 .. len - 1)));
    assigns \result \from *((u8 *)a + (0 .. len - 1)), *((u8 *)b + (0 .. len - 1)); */
int memcmp(const void *a, const void *b, size_t len);

#endif /* PROOF_ANY_H */
