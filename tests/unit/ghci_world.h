/* SPDX-License-Identifier: GPL-2.0 */
/* A protected VM that speaks the GHCI, on the machine of root_world.h. */
#ifndef GHCI_WORLD_H
#define GHCI_WORLD_H

#include "root_world.h"
#include "ept/binding.h"

/* Its memory, in guest frames: page tables of 2 MiB pages, identity; text; the rest. */
#define G_FRAMES	96
#define G_PML4		0x0000ULL
#define G_PDPT		0x1000ULL
#define G_PD		0x2000ULL
#define G_TEXT		0x3100ULL	/* TDCALL */
#define G_UD2		0x3180ULL
#define G_SPLIT		0x3ffeULL	/* TDCALL across a page */
#define G_STUB		5		/* frame from which KVM fetches */
#define G_DATA		8		/* frames from here on are nobody's in particular */
#define G_UNBOUND	0x100000ULL	/* no memory of the VM's: a device */

#define G_VCPUS		2

/* A measured VM, entered in 64-bit mode on CPU 0; it has not asked for the GHCI.  Its id */
long g_start(void);

/* UP_GUEST_GHCI until it is done.  Return: its last answer */
long g_enable(u64 gfn);

/* 64-bit code at ring 0 in the VMCS that is current, and page tables in its memory. */
void g_long_mode(void);
void g_write_memory(void);

/* The instruction at @rip raises #UD; registers are the guest's. */
void g_undefined(u64 rip);

#endif /* GHCI_WORLD_H */
