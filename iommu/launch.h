/* SPDX-License-Identifier: GPL-2.0 */
/* All units at once: at the launch, meanwhile, and at its end (iommu/launch.c). */
#ifndef IOMMU_LAUNCH_H
#define IOMMU_LAUNCH_H

#include "vmx/abi/call.h"
#include "vmx/abi/image.h"
#include "vmx/abi/iommu.h"
#include "vmx/base/types.h"

/**
 * iommu_init() - take the units of the configuration's DMAR table from Linux, all or none
 *
 * Root context, first CPU, after frames_init_devices(); no CPU of the host's runs.  Where it
 * cannot be done Linux keeps them, registers and all, and iommu_reason() says why.
 * Return: 0; -UP_EIO: a unit could not be given back, and Linux must not go on so.
 */
int iommu_init(const struct up_config *cfg);

/** iommu_give() - Linux has its units again.  Return: false if one does not obey */
bool iommu_give(void);

/** iommu_state() - what is promised now */
enum up_iommu_state iommu_state(void);

/** iommu_reason() - why it is not more */
enum up_iommu_reason iommu_reason(void);

/** iommu_protects() - may a VM be protected on this host? */
bool iommu_protects(void);

#endif /* IOMMU_LAUNCH_H */
