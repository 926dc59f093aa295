/* SPDX-License-Identifier: GPL-2.0 */
/* The few C library functions that the root image has (vmx/base/lib.c). */
#ifndef VMX_LIB_H
#define VMX_LIB_H

#include "vmx/base/types.h"

/* As in C; compilers call them for structures too. */
void *memcpy(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/** zero_page() - zero one 4 KiB frame at a page-aligned address */
void zero_page(void *page);

/** page_is_zero() - true if all 4096 bytes at a page-aligned address are zero */
bool page_is_zero(const void *page);

#endif /* VMX_LIB_H */
