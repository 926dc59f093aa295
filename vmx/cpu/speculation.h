/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a processor remembers of whom it ran: branch predictors, the L1 data cache, fill
 * and store buffers.  To it the host and all VMs are one: VMX non-root, supervisor.
 */
#ifndef VMX_SPECULATION_H
#define VMX_SPECULATION_H

#include "vmx/base/types.h"

/** speculation_init() - what this processor has, and what the host relies on.  Launch, each CPU */
void speculation_init(void);

/** speculation_smt() - has a core several threads, one of which reads what another loads? */
bool speculation_smt(void);

/** speculation_to_vm() - a protected VM runs next: nothing that the host trained predicts in it */
void speculation_to_vm(void);

/**
 * speculation_to_host() - the host runs next, after a VM
 * @protected: and may not find what L1TF and MDS read past EPT; so nothing of the VM's
 *	       may be touched any more
 */
void speculation_to_host(bool protected);

#endif /* VMX_SPECULATION_H */
