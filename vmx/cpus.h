/* SPDX-License-Identifier: GPL-2.0 */
/* All CPUs, for the few places that look at another CPU's state (vmx/launch.c). */
#ifndef VMX_CPUS_H
#define VMX_CPUS_H

#include "percpu.h"

/* Filled at launch, before any CPU is demoted; constant from then on. */
extern struct percpu *cpus[UP_MAX_CPUS];
extern u32 ncpus;

#endif /* VMX_CPUS_H */
