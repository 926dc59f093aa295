/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tickets (docs/ticket.md): where the launch named an authority, no VM may run that it has not
 * granted.
 */
#ifndef VMX_TICKET_H
#define VMX_TICKET_H

#include "vmx/base/types.h"

struct vm;

/**
 * ticket_admits() - may a VM of this measurement run?  Says in the log why not
 * @vm: all but measured; its lock is held
 */
bool ticket_admits(const struct vm *vm, const u8 measurement[32]);

/** ticket_has_room() - does the VM's ticket grant another frame?  Holds the VM's lock */
bool ticket_has_room(const struct vm *vm);

#endif /* VMX_TICKET_H */
