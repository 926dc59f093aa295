/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ACPI tables of a guest of the GHCI: the firmware's own, never QEMU's.  All of them are
 * constants of the measured image but for the MADT's processors, whose number is reported.
 */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

#include <stddef.h>
#include <stdint.h>

/**
 * acpi_tables() - RSDP, XSDT, FADT, FACS, MADT and DSDT, one after another
 * @to: where they are written
 * @room: bytes there
 * @at: where the guest will find them: a multiple of 64
 * @mailbox: of the processors that wait (MADT type 16)
 * @vcpus: 1 to UP_VM_MAX_VCPUS, with APIC ids from 0 up
 * Return: bytes used, the RSDP first; 0: they do not fit
 */
size_t acpi_tables(uint8_t *to, size_t room, uint64_t at, uint64_t mailbox, uint32_t vcpus);

#endif /* GUEST_ACPI_H */
