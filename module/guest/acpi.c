// SPDX-License-Identifier: GPL-2.0
/* ACPI tables (ACPI 6.4, chapter 5.2): see acpi.h. */
#include "vmx/abi/call.h"
#include "vmx/base/lib.h"
#include "vmx/base/types.h"
#include "acpi.h"
#include "dsdt.hex"

#define PM_BASE		0x600		/* where the firmware puts PIIX4's power management */
#define GPE0		0xafe0		/* where QEMU has it */
#define RESET_PORT	0xcf9
#define RESET_VALUE	0x0f
#define SCI		9
#define IOAPIC		0xfec00000
#define LOCAL_APIC	0xfee00000

struct header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision;
	char creator[4];
	u32 creator_revision;
} __packed;

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt, length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __packed;

struct xsdt {
	struct header h;
	u64 table[2];
} __packed;

/* Generic address: space 1 is ports. */
struct gas {
	u8 space, width, offset, access;
	u64 address;
} __packed;

#define PORT(bits, size, at)	{ 1, bits, 0, size, at }

struct facs {
	char signature[4];
	u32 length, hardware;
	u32 waking, lock, flags;
	u64 x_waking;
	u8 version, reserved[31];
} __packed;

struct fadt {
	struct header h;
	u32 facs, dsdt;
	u8 reserved, profile;
	u16 sci;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios, pstate;
	u32 pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base, cst;
	u16 c2_latency, c3_latency, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alarm, month_alarm, century;
	u16 boot_arch;
	u8 reserved2;
	u32 flags;
	struct gas reset;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor;
	u64 x_facs, x_dsdt;
	struct gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr, x_gpe0,
		   x_gpe1, sleep_control, sleep_status;
	u64 hypervisor;
} __packed;

#define FADT_WBINVD		BIT(0)
#define FADT_PROC_C1		BIT(2)
#define FADT_POWER_BUTTON	BIT(4)	/* none that is fixed */
#define FADT_SLEEP_BUTTON	BIT(5)
#define FADT_RESET		BIT(10)
#define BOOT_LEGACY_DEVICES	BIT(0)
#define BOOT_8042		BIT(1)
#define BOOT_NO_VGA		BIT(2)

/* Entries of the MADT */
struct madt {
	struct header h;
	u32 local_apic, flags;
} __packed;

struct madt_processor {
	u8 type, length, uid, apic_id;
	u32 flags;
} __packed;

struct madt_rest {
	struct { u8 type, length, id, reserved; u32 address, gsi; } __packed ioapic;
	struct { u8 type, length, bus, irq; u32 gsi; u16 flags; } __packed timer, sci;
	struct { u8 type, length, uid; u16 flags; u8 lint; } __packed nmi;
	struct { u8 type, length; u16 version; u32 reserved; u64 address; } __packed mailbox;
} __packed;

#define MADT_PCAT		BIT(0)	/* there are 8259s */
#define MADT_LEVEL_HIGH		0xd

struct tables {
	struct rsdp rsdp __aligned(64);
	struct facs facs __aligned(64);
	struct xsdt xsdt;
	struct fadt fadt;
	u8 dsdt[sizeof(dsdt_aml_code)];
	struct madt madt;
	u8 entries[UP_VM_MAX_VCPUS * sizeof(struct madt_processor) + sizeof(struct madt_rest)];
};

static u8 checksum(const void *table, size_t len)
{
	const u8 *p = table;
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum - *p++);
	return sum;
}

/* The end of a table: all but its header is there. */
static void finish(struct header *h, const char *signature, u8 revision, size_t len)
{
	memcpy(h->signature, signature, sizeof(h->signature));
	h->length = (u32)len;
	h->revision = revision;
	memcpy(h->oem, "UNDPIN", sizeof(h->oem));
	memcpy(h->oem_table, "UNDERPIN", sizeof(h->oem_table));
	h->oem_revision = 1;
	memcpy(h->creator, "UNDP", sizeof(h->creator));
	h->creator_revision = 1;
	h->checksum = checksum(h, len);
}

static void put_rsdp(struct rsdp *r, u64 xsdt)
{
	memcpy(r->signature, "RSD PTR ", sizeof(r->signature));
	memcpy(r->oem, "UNDPIN", sizeof(r->oem));
	r->revision = 2;
	r->length = sizeof(*r);
	r->xsdt = xsdt;
	r->checksum = checksum(r, offsetof(struct rsdp, length));
	r->extended_checksum = checksum(r, sizeof(*r));
}

static void put_fadt(struct fadt *f, u64 facs, u64 dsdt)
{
	*f = (struct fadt){
		.facs = (u32)facs, .dsdt = (u32)dsdt, .sci = SCI,
		.pm1a_evt = PM_BASE, .pm1a_cnt = PM_BASE + 4, .pm_tmr = PM_BASE + 8, .gpe0 = GPE0,
		.pm1_evt_len = 4, .pm1_cnt_len = 2, .pm_tmr_len = 4, .gpe0_len = 4,
		.c2_latency = 0xfff, .c3_latency = 0xfff,	/* neither is there */
		.century = 0x32,
		.boot_arch = BOOT_LEGACY_DEVICES | BOOT_8042 | BOOT_NO_VGA,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_POWER_BUTTON | FADT_SLEEP_BUTTON |
			 FADT_RESET,
		.reset = PORT(8, 1, RESET_PORT), .reset_value = RESET_VALUE,
		.x_facs = facs, .x_dsdt = dsdt,
		.x_pm1a_evt = PORT(32, 2, PM_BASE), .x_pm1a_cnt = PORT(16, 2, PM_BASE + 4),
		.x_pm_tmr = PORT(32, 3, PM_BASE + 8), .x_gpe0 = PORT(32, 1, GPE0),
	};
	finish(&f->h, "FACP", 5, offsetof(struct fadt, hypervisor));
}

static size_t put_madt(struct madt *m, u64 mailbox, u32 vcpus)
{
	struct madt_processor *p = (struct madt_processor *)(m + 1);
	struct madt_rest rest = {
		.ioapic = { 1, sizeof(rest.ioapic), 0, 0, IOAPIC, 0 },
		.timer = { 2, sizeof(rest.timer), 0, 0, 2, 0 },
		.sci = { 2, sizeof(rest.sci), 0, SCI, SCI, MADT_LEVEL_HIGH },
		.nmi = { 4, sizeof(rest.nmi), 0xff, 0, 1 },
		.mailbox = { 16, sizeof(rest.mailbox), 0, 0, mailbox },
	};
	size_t len = sizeof(*m) + vcpus * sizeof(*p) + sizeof(rest);
	u32 i;

	m->local_apic = LOCAL_APIC;
	m->flags = MADT_PCAT;
	for (i = 0; i < vcpus; i++)
		p[i] = (struct madt_processor){ 0, sizeof(*p), (u8)i, (u8)i, 1 };
	memcpy(p + vcpus, &rest, sizeof(rest));
	finish(&m->h, "APIC", 5, len);
	return len;
}

size_t acpi_tables(uint8_t *to, size_t room, uint64_t at, uint64_t mailbox, uint32_t vcpus)
{
	struct tables *t = (struct tables *)to;

	if (room < sizeof(*t) || !vcpus || vcpus > UP_VM_MAX_VCPUS)
		return 0;
	memset(t, 0, sizeof(*t));
	memcpy(t->facs.signature, "FACS", sizeof(t->facs.signature));
	t->facs.length = sizeof(t->facs);
	t->facs.version = 2;
	memcpy(t->dsdt, dsdt_aml_code, sizeof(t->dsdt));
	put_fadt(&t->fadt, at + offsetof(struct tables, facs), at + offsetof(struct tables, dsdt));
	t->xsdt.table[0] = at + offsetof(struct tables, fadt);
	t->xsdt.table[1] = at + offsetof(struct tables, madt);
	finish(&t->xsdt.h, "XSDT", 1, sizeof(t->xsdt));
	put_rsdp(&t->rsdp, at + offsetof(struct tables, xsdt));
	return offsetof(struct tables, madt) + put_madt(&t->madt, mailbox, vcpus);
}
