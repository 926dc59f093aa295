// SPDX-License-Identifier: GPL-2.0
/* The set of CPUs and the launch configuration: see cpus.h. */
#include "vmx/base/cpus.h"

struct up_config up_config;
struct percpu *cpus[UP_MAX_CPUS];
u32 ncpus;
