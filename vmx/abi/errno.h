/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Error numbers of the root image and of its call interface.  The values are
 * Linux's, so that the host side can hand them on as they are.
 */
#ifndef VMX_ERRNO_H
#define VMX_ERRNO_H

#define UP_EPERM	1	/* not allowed in this state or to this caller */
#define UP_ENOENT	2	/* no such VM, vCPU or frame */
#define UP_EIO		5	/* hardware refused; the log names the step */
#define UP_ENXIO	6	/* no IOMMU keeps devices out: vmx/abi/iommu.h */
#define UP_E2BIG	7	/* count above the bound */
#define UP_EAGAIN	11	/* not finished, or a flush is pending: call again */
#define UP_ENOMEM	12	/* the layer's pool is empty: donate frames */
#define UP_EBUSY	16	/* in use: a protected VM exists, a vCPU runs */
#define UP_EEXIST	17	/* already bound, already owned */
#define UP_ENODEV	19	/* the processor lacks a required feature */
#define UP_EINVAL	22	/* malformed argument */
#define UP_ENOSPC	28	/* a fixed table is full */
#define UP_ENOSYS	38	/* unknown operation */

#endif /* VMX_ERRNO_H */
