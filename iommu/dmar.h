/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ACPI DMAR table: which VT-d units there are, and which memory devices of the
 * firmware use (VT-d specification, chapter 8).  The host hands it over: each byte is
 * an adversary's.
 */
#ifndef IOMMU_DMAR_H
#define IOMMU_DMAR_H

#include "vmx/base/types.h"

#define DMAR_HEADER		48	/* bytes before the first structure */
#define DMAR_BYTES		0x10000	/* the longest table that is looked at */
#define DMAR_UNITS		128
#define DMAR_REGIONS		128

/* Remapping structures, and where their fields are. */
enum dmar_type {
	DMAR_DRHD,	/* a unit */
	DMAR_RMRR,	/* memory that devices go on using */
	DMAR_ATSR,	/* root ports with address translation services */
	DMAR_RHSA,	/* where a unit is near to */
	DMAR_ANDD,	/* a device that ACPI alone names */
	DMAR_SATC,	/* devices of the SoC with address translation services */
	DMAR_SIDP,	/* devices of the SoC, and what they cannot do */
	DMAR_TYPES
};

/* Of the table */
#define DMAR_INTR_REMAP		BIT(0)
#define DMAR_X2APIC_OPT_OUT	BIT(1)
#define DMAR_DMA_CTRL_OPT_IN	BIT(2)
/* Of a DRHD: all devices of its segment that no other unit lists */
#define DMAR_INCLUDE_PCI_ALL	BIT(0)

/* Device scopes: what names the device. */
enum dmar_scope_type {
	DMAR_SCOPE_ENDPOINT = 1, DMAR_SCOPE_BRIDGE, DMAR_SCOPE_IOAPIC, DMAR_SCOPE_HPET,
	DMAR_SCOPE_NAMESPACE, DMAR_SCOPE_TYPES
};

#define DMAR_CURE_FIRMWARE \
	"update the firmware; until then no device can be kept from memory"
#define DMAR_CURE_SETUP \
	"enable VT-d in the firmware's setup, or update the firmware: a unit was not set up"
#define DMAR_CURE_COPY \
	"copy the whole table, as /sys/firmware/acpi/tables/DMAR has it"
#define DMAR_CURE_LIMIT \
	"raise the layer's limit for DMAR tables and build again"

/* A row each: a reason to refuse a table, its words, and the cure. */
#define DMAR_FAULTS(X) \
	X(SHORT, "shorter than a DMAR table's header", DMAR_CURE_COPY) \
	X(SIGNATURE, "it is no DMAR table", DMAR_CURE_COPY) \
	X(CUT, "shorter than it says", DMAR_CURE_COPY) \
	X(LENGTH, "its length is less than its header's", DMAR_CURE_FIRMWARE) \
	X(LONG, "longer than 64 KiB", DMAR_CURE_LIMIT) \
	X(CHECKSUM, "its bytes do not add up to 0", DMAR_CURE_FIRMWARE) \
	X(WIDTH, "addresses of less than 32 or more than 52 bits", DMAR_CURE_FIRMWARE) \
	X(ENTRY_LENGTH, "a structure is shorter than its header, or reaches beyond the table", \
	  DMAR_CURE_FIRMWARE) \
	X(ENTRY_SHORT, "a structure is too short for its type", DMAR_CURE_FIRMWARE) \
	X(SCOPE_LENGTH, "a device scope has no whole path, or reaches beyond its structure", \
	  DMAR_CURE_FIRMWARE) \
	X(SCOPE_PATH, "a device scope leads to a device above 31 or a function above 7", \
	  DMAR_CURE_FIRMWARE) \
	X(UNIT_ZERO, "a unit's registers are at address 0", DMAR_CURE_SETUP) \
	X(UNIT_ALIGN, "a unit's registers do not begin at a page", DMAR_CURE_FIRMWARE) \
	X(UNIT_SIZE, "a unit's size has bits that mean nothing", DMAR_CURE_FIRMWARE) \
	X(UNIT_RANGE, "a unit's registers reach beyond the address width", DMAR_CURE_FIRMWARE) \
	X(UNIT_OVERLAP, "two units share registers", DMAR_CURE_FIRMWARE) \
	X(UNIT_ALL, "two units of a segment take all devices that no other lists", \
	  DMAR_CURE_FIRMWARE) \
	X(UNITS_MANY, "more units than are supported", DMAR_CURE_LIMIT) \
	X(NO_UNIT, "it lists no unit", DMAR_CURE_SETUP) \
	X(REGION_ALIGN, "reserved memory does not begin and end at a page", DMAR_CURE_FIRMWARE) \
	X(REGION_RANGE, "reserved memory ends before it begins, or beyond the address width", \
	  DMAR_CURE_FIRMWARE) \
	X(REGION_UNIT, "reserved memory, which devices may write, has a unit's registers", \
	  DMAR_CURE_FIRMWARE) \
	X(REGIONS_MANY, "more reserved regions than are supported", DMAR_CURE_LIMIT) \
	X(NAME, "a device's ACPI name is empty, not printable or not ended", DMAR_CURE_FIRMWARE) \
	X(NUMBER, "two ACPI devices have one number", DMAR_CURE_FIRMWARE)

#define DMAR_FAULT_NAME(name, found, cure) DMAR_##name,
enum dmar_fault { DMAR_OK, DMAR_FAULTS(DMAR_FAULT_NAME) DMAR_FAULT_COUNT };

/* A structure; what its type lacks is 0. */
struct dmar_entry {
	u32 offset;	/* in the table, as all offsets */
	u32 scopes;	/* where its device scopes begin, */
	u32 end;	/* and where they and it end */
	u16 type;
	u16 segment;
	u8 flags;
	u8 order;	/* DRHD: 2^order pages of registers */
	u8 number;	/* ANDD: the device's, as device scopes have it */
	u32 name;	/* ANDD: offset of its name */
	u32 domain;	/* RHSA: proximity domain */
	u64 base;	/* DRHD, RHSA: registers; RMRR: memory */
	u64 last;	/* DRHD, RMRR: the last byte of them */
};

struct dmar_scope {
	u32 path;	/* offset of pairs of device and function */
	u32 end;	/* of them, and of the scope */
	u8 type;
	u8 flags;
	u8 id;		/* IOAPIC, HPET, ACPI device */
	u8 bus;		/* where the path begins */
};

struct dmar_range {
	u64 base, last;
};

struct dmar_unit {
	struct dmar_range regs;
	u16 segment;
	bool all;
};

/* What a table says that is accepted. */
struct dmar {
	u32 length;
	u32 where;		/* offset of what was looked at last: of the fault, if any */
	u8 width;		/* of addresses, in bits */
	u8 flags;
	u16 units, regions;
	u64 numbers[4];		/* ACPI devices, a bit each */
	struct dmar_unit unit[DMAR_UNITS];
	struct dmar_range region[DMAR_REGIONS];
};

/**
 * dmar_parse() - check a whole table, and take from it what the layer acts upon
 * @table: the caller's own copy, which nobody else can change
 * @size: of the copy, in bytes
 * @dmar: filled in; to be used if this succeeds only
 *
 * Structures of unknown types are passed over, as the specification asks, and so are
 * reserved bits but for those of a unit's size.  Reserved regions may overlap: what
 * counts is their union.
 *
 * Return: DMAR_OK, or the first fault found; @dmar->where says where.
 */
enum dmar_fault dmar_parse(const u8 *table, u64 size, struct dmar *dmar);

/**
 * dmar_entry() - decode one structure
 * @end: of the table
 * @at: where the structure begins, below @end
 * @e: filled in; the next structure begins at @e->end
 *
 * Return: DMAR_OK, DMAR_ENTRY_SHORT (no more than type and end are known) or
 * DMAR_ENTRY_LENGTH (not even the end).
 */
enum dmar_fault dmar_entry(const u8 *table, u32 end, u32 at, struct dmar_entry *e);

/**
 * dmar_scope() - decode one device scope
 * @end: of its structure
 * @at: where it begins, below @end
 * @s: filled in; the next one begins at @s->end
 *
 * Return: DMAR_OK, or DMAR_SCOPE_LENGTH (its end is not known).
 */
enum dmar_fault dmar_scope(const u8 *table, u32 end, u32 at, struct dmar_scope *s);

#endif /* IOMMU_DMAR_H */
