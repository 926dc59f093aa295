/* SPDX-License-Identifier: GPL-2.0 */
/* I/O ports that the layer mediates (vmx/intercept/port.c). */
#ifndef VMX_PORT_H
#define VMX_PORT_H

#include "vmx/base/types.h"

#define PORT_KEYBOARD		0x64
#define PORT_PCI_ADDRESS	0xcf8
#define PORT_RESET		0xcf9
#define PORT_PCI_DATA		0xcfc

/** port_init() - build the I/O bitmaps of the demoted host.  Launch, first CPU. */
int port_init(void);

/** io_bitmap() - its physical address, for VMCS01 and every VM's floor; @half 0: A, 1: B */
u64 io_bitmap(u32 half);

/** port_sleeps() - would this write enter a sleep state through PM1_CNT? */
bool port_sleeps(u16 port, u32 size, u64 val);

/**
 * port_moves_sleep() - would this write move PM1_CNT away from the ports that are watched?
 * Nobody may write to PORT_PCI_ADDRESS between this and the write.
 */
bool port_moves_sleep(u16 port, u32 size);

/** port_resets() - would this write reset the machine? */
bool port_resets(u16 port, u32 size, u64 val);

#endif /* VMX_PORT_H */
