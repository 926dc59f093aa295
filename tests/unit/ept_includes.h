/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EPT_INCLUDES_H
#define EPT_INCLUDES_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ept/binding.h"
#include "ept/flush.h"
#include "ept/grow.h"
#include "ept/host.h"
#include "ept/mtrr.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/protected.h"
#include "ept/shadow.h"
#include "ept/stats.h"
#include "ept/table.h"
#include "ept/transition.h"
#include "ept/view.h"
#include "ept/violation.h"
#include "ept/walk.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/base/x86.h"

/* Types that the layer has no name for. */
#define MEMTYPE_WC	1
#define MEMTYPE_WP	5

#endif
