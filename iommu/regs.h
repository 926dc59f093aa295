/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers, table entries and descriptors of a VT-d unit (VT-d specification 4.1,
 * chapters 6, 9 and 11).
 */
#ifndef IOMMU_REGS_H
#define IOMMU_REGS_H

#include "vmx/base/types.h"

/* Registers: where they are (table 11-2) */
#define VTD_VER			0x00
#define VTD_CAP			0x08
#define VTD_ECAP		0x10
#define VTD_GCMD		0x18
#define VTD_GSTS		0x1c
#define VTD_RTADDR		0x20
#define VTD_CCMD		0x28
#define VTD_FSTS		0x34
#define VTD_FECTL		0x38
#define VTD_FEDATA		0x3c
#define VTD_FEADDR		0x40
#define VTD_FEUADDR		0x44
#define VTD_PMEN		0x64
#define VTD_IQH			0x80
#define VTD_IQT			0x88
#define VTD_IQA			0x90
#define VTD_ICS			0x9c
#define VTD_IECTL		0xa0
#define VTD_IEDATA		0xa4
#define VTD_IEADDR		0xa8
#define VTD_IEUADDR		0xac
#define VTD_IRTA		0xb8

/* Capability register */
#define CAP_DOMAINS(cap)	(16u << 2 * ((cap) & 7))	/* 7 is reserved */
#define CAP_RWBF		BIT(4)
#define CAP_PMR			(BIT(5) | BIT(6))
#define CAP_CM			BIT(7)
#define CAP_SAGAW(cap)		((cap) >> 8 & 0x1f)
#define CAP_FRO(cap)		(((cap) >> 24 & 0x3ff) * 16)
#define CAP_SLLPS_2M		BIT(34)
#define CAP_NFR(cap)		((u32)((cap) >> 40 & 0xff) + 1)

/* Extended capability register */
#define ECAP_C			BIT(0)
#define ECAP_QI			BIT(1)
#define ECAP_IR			BIT(3)
#define ECAP_SC			BIT(7)		/* snoop control: bit 11 of a leaf */
#define ECAP_IRO(ecap)		(((ecap) >> 8 & 0x3ff) * 16)
/*
 * What the host may see of it: C, QI, IR, EIM, PT, SC, and where IOTLB registers are.
 * Device TLBs, nested tables, page requests, PASIDs and scalable mode are hidden.
 */
#define ECAP_SHOWN		(MASK(17, 8) | MASK(23, 20) | BIT(7) | BIT(6) | BIT(4) | \
				 ECAP_IR | ECAP_QI | ECAP_C)

/* Global command and status: one bit each, some of which are no state but an order */
#define GCMD_TE			BIT(31)
#define GCMD_SRTP		BIT(30)
#define GCMD_WBF		BIT(27)
#define GCMD_QIE		BIT(26)
#define GCMD_IRE		BIT(25)
#define GCMD_SIRTP		BIT(24)
#define GCMD_CFI		BIT(23)
#define GSTS_KEPT		(GCMD_TE | GCMD_QIE | GCMD_IRE | GCMD_CFI)

#define RTADDR_TTM		MASK(11, 10)	/* 0: legacy mode */
#define CCMD_ICC		BIT(63)
#define CCMD_GLOBAL		(BIT(63) | BIT(61))
#define IOTLB_REG		8		/* behind the address register at IRO */
#define IOTLB_IVT		BIT(63)
#define IOTLB_GLOBAL		(BIT(63) | BIT(60) | BIT(49) | BIT(48))	/* draining both ways */

#define FSTS_PFO		BIT(0)
#define FSTS_PPF		BIT(1)
#define FSTS_IQE		BIT(4)
#define FSTS_ICE		BIT(5)
#define FSTS_ITE		BIT(6)
#define FSTS_QUEUE		(FSTS_IQE | FSTS_ICE | FSTS_ITE)
#define FSTS_FRI(fsts)		((fsts) >> 8 & 0xff)
#define EVENT_MASKED		BIT(31)		/* FECTL, IECTL */

/* Fault recording registers, 16 bytes each (11.4.7.6) */
#define FRCD_BYTES		16
#define FRCD_ADDR		MASK(63, 12)
#define FRCD_SID(hi)		((u16)(hi))
#define FRCD_T2			BIT(28)
#define FRCD_REASON(hi)		((u8)((hi) >> 32))
#define FRCD_T1			BIT(62)
#define FRCD_F			BIT(63)

#define PMEN_EPM		BIT(31)

#define IQ_OFFSET		MASK(18, 4)	/* in IQH and IQT */
#define DESC_BYTES		16
#define IQA_SIZE(iqa)		((iqa) & 7)	/* 2^n pages */
#define IRTA_EIME		BIT(11)
#define IRTA_SIZE(irta)		((irta) & 0xf)	/* 2^(n+1) entries */
#define VTD_ADDR		MASK(51, 12)

/* Second-level entries (9.8): reserved in all of them; SNP is, without ECAP.SC */
#define SL_RESERVED		BIT(62)
#define SL_SNP			BIT(11)

/* Root and context entries, two words each (9.1, 9.3) */
#define ENTRY_P			BIT(0)
#define CONTEXT_T(lo)		((lo) >> 2 & 3)
#define CONTEXT_T_PASS		2
#define CONTEXT_T_RESERVED	3
#define CONTEXT_AW(levels)	((u64)(levels) - 2)
#define CONTEXT_LEVELS(hi)	((u32)(hi) % 8 + 2)
#define CONTEXT_DID(did)	((u64)(did) << 8)
#define CONTEXT_DID_OF(hi)	((u16)((hi) >> 8))

/* Queued invalidation (6.5.2): descriptors of 128 bits */
#define DESC_TYPE(lo)		(((lo) & 0xf) | ((lo) >> 5 & 0x70))
#define DESC_CONTEXT		1
#define DESC_IOTLB		2
#define DESC_DEVTLB		3
#define DESC_IEC		4
#define DESC_WAIT		5
#define DESC_GLOBAL		BIT(4)		/* context, IOTLB: one of these */
#define DESC_DOMAIN		BIT(5)
#define DESC_ONE		(BIT(4) | BIT(5))	/* device, or range of addresses */
#define DESC_DRAIN		(BIT(6) | BIT(7))
#define DESC_DID(lo)		((u16)((lo) >> 16))
#define DESC_SID(lo)		((u16)((lo) >> 32))
#define DESC_FM(lo)		((lo) >> 48 & 3)	/* functions besides that one */
#define DESC_ADDR_MASK(hi)	((u32)(hi) & 0x3f)	/* 2^n pages */
#define IEC_INDEX		BIT(4)		/* else global */
#define IEC_MASK(lo)		((lo) >> 27 & 0x1f)
#define IEC_FIRST(lo)		((u32)((lo) >> 32 & 0xffff))
#define WAIT_IF			BIT(4)
#define WAIT_SW			BIT(5)
#define WAIT_DATA(lo)		((u32)((lo) >> 32))
#define WAIT_ADDR		MASK(63, 2)

/* Interrupt-remapping entries, two words each (9.9) */
#define IRTE_P			BIT(0)
#define IRTE_DLM(lo)		((lo) >> 5 & 7)
#define IRTE_POSTED		BIT(15)
/* Remapped: what they hold; the rest is reserved, and what software may use. */
#define IRTE_LO			(MASK(63, 32) | MASK(23, 16) | MASK(7, 0))
#define IRTE_HI			MASK(19, 0)

#endif /* IOMMU_REGS_H */
