/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What keeps devices out of protected memory, and what is wrong where nothing does: root
 * says which, the host side and "underpin" have the words and the cures.
 */
#ifndef VMX_IOMMU_H
#define VMX_IOMMU_H

#define UP_IOMMU_CURE_FIRMWARE \
	"update the firmware, or protect VMs without an IOMMU (allow_no_iommu=1)"

/* A row each: why it is not UP_IOMMU_FULL, in words, and the cure. */
#define UP_IOMMU_REASONS(X) \
	X(NO_DMAR, "firmware lists no VT-d unit (no ACPI DMAR table)", \
	  "enable VT-d in the firmware's setup; where there is none, load with allow_no_iommu=1") \
	X(BAD_DMAR, "firmware's DMAR table is refused", \
	  "underpin check --dmar /sys/firmware/acpi/tables/DMAR says what is wrong with it") \
	X(SEGMENT, "devices that the DMAR table does not list, if any, are behind no unit", \
	  "see with 'underpin check --dmar' that it lists all devices of the machine") \
	X(UNIT, "a unit cannot be used; the log names it", UP_IOMMU_CURE_FIRMWARE) \
	X(TRANSLATING, "Linux translates DMA by tables whose changes it does not announce", \
	  "boot with iommu=pt") \
	X(SCALABLE, "Linux uses VT-d in scalable mode", \
	  "boot with intel_iommu=on,sm_off iommu=pt") \
	X(RESERVED, "memory that firmware reserves for a device is RAM of Linux's", \
	  UP_IOMMU_CURE_FIRMWARE) \
	X(MEMORY, "no memory is left for its tables", "load when more memory is free") \
	X(STUCK, "a unit does not obey; the log names it", UP_IOMMU_CURE_FIRMWARE) \
	X(INTERRUPTS, "interrupts of devices are not remapped", \
	  "enable interrupt remapping in the firmware's setup; boot without intremap=off")

#define UP_IOMMU_REASON_NAME(name, found, cure) UP_IOMMU_##name,
enum up_iommu_reason {
	UP_IOMMU_FINE, UP_IOMMU_REASONS(UP_IOMMU_REASON_NAME) UP_IOMMU_REASON_COUNT
};

#endif /* VMX_IOMMU_H */
