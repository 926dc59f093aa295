/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EPT_INCLUDES_H
#define EPT_INCLUDES_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ept/binding.h"
#include "ept/ept.h"
#include "ept/flush.h"
#include "ept/frames.h"
#include "ept/host.h"
#include "ept/mtrr.h"
#include "ept/pool.h"
#include "ept/shadow.h"
#include "ept/stats.h"
#include "ept/table.h"
#include "vmx/base/cpus.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/vm/vm.h"

#endif
