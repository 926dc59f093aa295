// SPDX-License-Identifier: GPL-2.0
/* The set of CPUs and the launch configuration: see cpus.h. */
#include "vmx/base/cpus.h"

/* The host side writes it page by page: it must not cross one. */
struct up_config up_config __aligned(256);
_Static_assert(sizeof(struct up_config) <= 256, "struct up_config outgrew its alignment");
struct percpu *cpus[UP_MAX_CPUS];
u32 ncpus;
