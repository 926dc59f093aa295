/* SPDX-License-Identifier: GPL-2.0 */
/* The set of CPUs and the launch configuration (vmx/launch/launch.c). */
#ifndef VMX_CPUS_H
#define VMX_CPUS_H

#include "vmx/abi/image.h"
#include "vmx/base/percpu.h"

extern struct up_config up_config;	/* in bss; written by the host side before launch */

/* Filled while launching, constant from then on; a CPU may be NULL or not demoted. */
extern struct percpu *cpus[UP_MAX_CPUS];
extern u32 ncpus;

#endif /* VMX_CPUS_H */
