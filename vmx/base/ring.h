/* SPDX-License-Identifier: GPL-2.0 */
/* The log ring's other users: launch and the call that reads it. */
#ifndef VMX_RING_H
#define VMX_RING_H

#include "vmx/base/types.h"

#define UP_LOG_SIZE	32768u

/** log_serial() - also write to the early serial port, if one is configured: launch, leaving */
void log_serial(bool on);

/**
 * log_read() - copy log text from a position on
 * @pos: bytes ever written before the wanted text; moved on (and over what was lost)
 * Return: bytes copied
 */
u32 log_read(u64 *pos, void *buf, u32 len);

#endif /* VMX_RING_H */
