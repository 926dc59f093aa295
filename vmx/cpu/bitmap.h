/* SPDX-License-Identifier: GPL-2.0 */
/* Where an MSR or a port has its bit (SDM vol. 3, sections 25.6.4 and 25.6.9). */
#ifndef VMX_BITMAP_H
#define VMX_BITMAP_H

#include "vmx/base/asm.h"

/**
 * msr_bit() - bit number in an MSR bitmap: read low, read high, write low, write high
 * Return: -1 outside both ranges: such an access always exits
 */
static inline s32 msr_bit(u32 msr, bool write)
{
	u32 high = msr >> 30 == 3;

	if ((msr & 0x3fffe000) || (msr >> 30 && !high))
		return -1;
	return (s32)((write ? 0x4000 : 0) + (high ? 0x2000 : 0) + (msr & 0x1fff));
}

/** bitmap_test(), bitmap_set(), bitmap_clear() - one bit; L1 may write its own meanwhile */
static inline bool bitmap_test(const u8 *bitmap, u32 bit)
{
	return READ_ONCE(bitmap[index_below(bit / 8, PAGE_SIZE)]) >> (bit % 8) & 1;
}

static inline void bitmap_set(u8 *bitmap, u32 bit)
{
	bitmap[bit / 8] |= (u8)(1u << (bit % 8));
}

static inline void bitmap_clear(u8 *bitmap, u32 bit)
{
	bitmap[bit / 8] &= (u8)~(1u << (bit % 8));
}

#endif /* VMX_BITMAP_H */
