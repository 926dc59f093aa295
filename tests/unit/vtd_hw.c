// SPDX-License-Identifier: GPL-2.0
/* See vtd_hw.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vmx/base/asm.h"
#include "iommu/mmio.h"
#include "tests/unit/vtd_hw.h"

#define ARRAY_END(a) (&(a)[ARRAY_SIZE(a)])

struct hw hw;

static u8 *memory;	/* what a unit sees that reads past the caches: where tables lie */
static u64 memory_size;

static void stop(const char *what, u64 arg)
{
	fprintf(stderr, "unit: %s %llx\n", what, (unsigned long long)arg);
	abort();
}

static bool behind(void)
{
	return !(hw.ecap & ECAP_C) || hw.cap & CAP_RWBF;
}

void hw_init(u64 cap, u64 ecap)
{
	memset(&hw, 0, sizeof(hw));
	hw.cap = cap | (u64)HW_FRO / 16 << 24;
	hw.ecap = ecap | (u64)HW_IRO / 16 << 8;
	hw.last_type = DESC_WAIT;	/* as Linux leaves it */
	if (!behind())
		return;
	memory_size = fake_ram_size < HW_TABLES ? fake_ram_size : HW_TABLES;
	memory = malloc(memory_size);
	memcpy(memory, fake_ram, memory_size);
}

/* --- memory as the unit sees it ------------------------------------------------ */

static u64 table_word(u64 pa)
{
	if (pa + 8 > (behind() ? memory_size : fake_ram_size))
		stop("table lies at", pa);
	return *(u64 *)((behind() ? memory : fake_ram) + pa);
}

static void line_reaches_memory(const u8 *p)
{
	u64 at = ALIGN_DOWN((u64)(p - fake_ram), 64);

	if (at + 64 <= memory_size && !(hw.ecap & ECAP_C) && !(hw.cap & CAP_RWBF))
		memcpy(memory + at, fake_ram + at, 64);
}

/* Pages that differ: a process that is forked shares the others. */
static void write_buffer_reaches_memory(void)
{
	u64 at;

	for (at = 0; at < memory_size; at += PAGE_SIZE)
		if (memcmp(memory + at, fake_ram + at, PAGE_SIZE))
			memcpy(memory + at, fake_ram + at, PAGE_SIZE);
}

void flush_line(const void *p)
{
	if (hw.mutant != HW_NO_FLUSH_LINE)
		line_reaches_memory(p);
}

void hw_flush_lines(const void *page)
{
	const u8 *p;

	if (hw.mutant != HW_NO_FLUSH_LINES)
		for (p = page; p < (const u8 *)page + PAGE_SIZE; p += 64)
			line_reaches_memory(p);
}

/* --- invalidation ---------------------------------------------------------------- */

static void forget_context(void)
{
	u32 i;

	hw.context_flushes++;
	for (i = 0; i < HW_DEVICES && hw.mutant != HW_KEEPS_CONTEXT; i++)
		hw.context[i].valid = false;
}

static void forget_iotlb(void)
{
	hw.iotlb_flushes++;
	if (hw.mutant != HW_KEEPS_IOTLB)
		memset(hw.iotlb, 0, sizeof(hw.iotlb));
}

static void forget_interrupts(void)
{
	if (hw.mutant != HW_KEEPS_INTERRUPTS)
		memset(hw.irte, 0, sizeof(hw.irte));
}

static void queue_error(void)
{
	hw.fsts |= FSTS_IQE;
}

/* One descriptor.  False: the queue stops. */
static bool descriptor(u64 lo, u64 hi)
{
	switch (DESC_TYPE(lo)) {
	case DESC_CONTEXT:
		forget_context();
		return lo & DESC_GLOBAL;
	case DESC_IOTLB:
		forget_iotlb();
		return lo & DESC_GLOBAL;
	case DESC_IEC:
		forget_interrupts();
		return true;
	case DESC_WAIT:
		if (lo & WAIT_SW)
			*(u32 *)phys(hi & WAIT_ADDR) = WAIT_DATA(lo);
		return lo & (WAIT_SW | WAIT_IF);	/* QEMU 7.2 refuses one with neither */
	}
	return false;
}

static void run_queue(void)
{
	u64 *d, size = PAGE_SIZE << IQA_SIZE(hw.iqa);

	while (hw.gsts & GCMD_QIE && hw.iqh != hw.iqt && !(hw.fsts & FSTS_IQE)) {
		d = phys((hw.iqa & VTD_ADDR) + hw.iqh);
		if (!descriptor(d[0], d[1])) {
			queue_error();
			return;
		}
		hw.iqh = (hw.iqh + DESC_BYTES) % size;
		hw.last_type = DESC_TYPE(d[0]);
	}
}

void hw_work(void)
{
	run_queue();
	if (hw.iotlb_waits)
		forget_iotlb();
	hw.iotlb_waits = false;
}

void hw_relax(void)
{
	if (++hw.waited > (hw.slow ? HW_SLOW : 0)) {
		hw.waited = 0;
		hw_work();
	}
}

/* The wait descriptor's word, while what stands before it is still to be done. */
static void early_status(void)
{
	u64 at, *d;

	for (at = hw.iqh; at != hw.iqt; at = (at + DESC_BYTES) % PAGE_SIZE) {
		d = phys((hw.iqa & VTD_ADDR) + at);
		if (DESC_TYPE(d[0]) == DESC_WAIT && d[0] & WAIT_SW)
			*(u32 *)phys(d[1] & WAIT_ADDR) = WAIT_DATA(d[0]);
	}
}

/* --- registers --------------------------------------------------------------------- */

static void command(u32 val)
{
	bool queue = val & GCMD_QIE && !(hw.gsts & GCMD_QIE);

	/* A queue stays on behind any descriptor but a wait, as in QEMU 7.2 (6.5.2). */
	if (hw.gsts & GCMD_QIE && !(val & GCMD_QIE) &&
	    (hw.iqh != hw.iqt || hw.last_type != DESC_WAIT))
		val |= GCMD_QIE;
	if (queue)
		hw.iqh = 0;
	hw.gsts = (hw.gsts & ~GSTS_KEPT) | (val & GSTS_KEPT);
	if (val & GCMD_SRTP) {
		hw.root = hw.rtaddr;
		hw.gsts |= GCMD_SRTP;
	}
	if (val & GCMD_SIRTP) {
		hw.interrupts = hw.irta;
		hw.gsts |= GCMD_SIRTP;
	}
	if (val & GCMD_WBF && hw.cap & CAP_RWBF && hw.mutant != HW_NO_WRITE_BUFFER)
		write_buffer_reaches_memory();
}

u64 mmio_read64(u64 pa)
{
	switch (pa - HW_BASE) {
	case VTD_CAP:
		return hw.mutant == HW_NO_CACHING_MODE ? hw.cap & ~CAP_CM : hw.cap;
	case VTD_ECAP:
		return hw.ecap;
	case VTD_RTADDR:
		return hw.rtaddr;
	case VTD_CCMD:
		return 0;
	case VTD_IRTA:
		return hw.irta;
	case VTD_IQA:
		return hw.iqa;
	case VTD_IQT:
		return hw.iqt;
	case VTD_IQH:
		return hw.iqh;
	case HW_IRO + IOTLB_REG:
		return hw.iotlb_waits && hw.mutant != HW_EARLY_STATUS ? IOTLB_IVT : 0;
	case HW_FRO:
		return hw.fault[0];
	case HW_FRO + 8:
		return hw.fault[1];
	}
	stop("64-bit read of register", pa - HW_BASE);
	return 0;
}

u32 mmio_read32(u64 pa)
{
	u64 reg = pa - HW_BASE;

	switch (reg) {
	case VTD_VER:
		return 0x10;
	case VTD_GSTS:
		return hw.gsts;
	case VTD_FSTS:
		return hw.fsts;
	case VTD_PMEN:
		return hw.pmen;
	case VTD_FECTL ... VTD_FEUADDR:
		return hw.fectl[(reg - VTD_FECTL) / 4];
	case VTD_IECTL ... VTD_IEUADDR:
		return hw.iectl[(reg - VTD_IECTL) / 4];
	}
	stop("32-bit read of register", reg);
	return 0;
}

static void write64(u64 reg, u64 val)
{
	switch (reg) {
	case VTD_RTADDR:
		hw.rtaddr = val;
		return;
	case VTD_IRTA:
		hw.irta = val;
		return;
	case VTD_CCMD:
		forget_context();
		return;
	case VTD_IQA:
		if (hw.gsts & GCMD_QIE)
			stop("the queue moves while it is on", val);
		hw.iqa = val;
		return;
	case VTD_IQT:
		hw.iqt = val;
		if (hw.mutant == HW_EARLY_STATUS)
			early_status();
		return;
	case HW_IRO + IOTLB_REG:
		hw.iotlb_waits = true;
		return;
	}
	stop("64-bit write of register", reg);
}

void mmio_write64(u64 pa, u64 val)
{
	write64(pa - HW_BASE, val);
	if (hw.watch)
		hw.watch();
}

static void write32(u64 reg, u32 val)
{
	switch (reg) {
	case VTD_GCMD:
		command(val);
		return;
	case VTD_FSTS:
		hw.fsts &= ~(val & (FSTS_PFO | FSTS_QUEUE));
		return;
	case VTD_PMEN:
		hw.pmen = val;
		return;
	case HW_FRO + 12:
		if (val >> 31) {
			hw.fault[1] &= ~FRCD_F;
			hw.fsts &= ~FSTS_PPF;
		}
		return;
	case VTD_FECTL ... VTD_FEUADDR:
		hw.fectl[(reg - VTD_FECTL) / 4] = val;
		return;
	case VTD_IECTL ... VTD_IEUADDR:
		hw.iectl[(reg - VTD_IECTL) / 4] = val;
		return;
	}
	stop("32-bit write of register", reg);
}

void mmio_write32(u64 pa, u32 val)
{
	write32(pa - HW_BASE, val);
	if (hw.watch)
		hw.watch();
}

/* --- translation -------------------------------------------------------------------- */

static bool read_context(u32 device, u64 *lo, u64 *hi)
{
	u64 root = table_word(hw.root & VTD_ADDR);
	u64 at = (root & VTD_ADDR) + device * 16;

	if (!(root & ENTRY_P))
		return false;
	*lo = table_word(at);
	*hi = table_word(at + 8);
	return *lo & ENTRY_P;
}

static bool walk(u64 table, u32 levels, u64 iova, bool write, u64 *pa)
{
	u64 e, span, need = write ? BIT(1) : BIT(0);

	if (iova >> (12 + 9 * levels))
		return false;
	for (;; levels--) {
		span = 1ULL << (12 + 9 * (levels - 1));
		e = table_word(table + (iova / span % 512) * 8);
		if (!(e & need))
			return false;
		if (e & BIT(11) && !(hw.ecap & ECAP_SC))
			stop("reserved bit set at", iova);
		if (levels == 1 || e & BIT(7))
			break;
		table = e & VTD_ADDR;
	}
	if (levels > 1 && !(hw.cap & CAP_SLLPS_2M))
		stop("a large entry for", iova);
	*pa = (e & VTD_ADDR & ~(span - 1)) | (iova & (span - 1));
	return true;
}

static struct hw_translation *remembered(u32 device, u64 iova)
{
	struct hw_translation *t = hw.iotlb[device];

	for (; t < ARRAY_END(hw.iotlb[device]); t++)
		if (t->valid && t->iova == ALIGN_DOWN(iova, PAGE_SIZE))
			return t;
	return NULL;
}

static void remember(u32 device, u64 iova, bool read, bool write, u64 pa)
{
	struct hw_translation *t = hw.iotlb[device];

	if (!read && !write && !(hw.cap & CAP_CM))
		return;
	while (t < ARRAY_END(hw.iotlb[device]) && t->valid)
		t++;
	if (t < ARRAY_END(hw.iotlb[device]))
		*t = (struct hw_translation){
			true, !read && !write, read, write, ALIGN_DOWN(iova, PAGE_SIZE),
			ALIGN_DOWN(pa, PAGE_SIZE) };
}

static bool translate(u32 device, u64 iova, bool write, u64 *pa, bool keep)
{
	const struct hw_translation *t = remembered(device, iova);
	u64 lo, hi, table;
	bool ok, read, writes;

	if (!(hw.gsts & GCMD_TE)) {
		*pa = iova;
		return true;
	}
	if (t) {
		*pa = t->pa | (iova & (PAGE_SIZE - 1));
		return write ? t->write : t->read;
	}
	if (hw.context[device].valid) {
		lo = hw.context[device].lo;
		hi = hw.context[device].hi;
	} else if (!read_context(device, &lo, &hi)) {
		return false;
	}
	if (CONTEXT_T(lo) == CONTEXT_T_PASS) {
		*pa = iova;
		read = writes = true;
	} else {
		table = lo & VTD_ADDR;
		read = walk(table, (hi & 7) + 2, iova, false, pa);
		writes = walk(table, (hi & 7) + 2, iova, true, pa);
	}
	ok = write ? writes : read;
	if (keep) {
		hw.context[device].valid = true;
		hw.context[device].lo = lo;
		hw.context[device].hi = hi;
		remember(device, iova, read, writes, *pa);
	}
	return ok;
}

bool hw_dma(u32 device, u64 iova, bool write, u64 *pa)
{
	bool ok;

	*pa = 0;
	ok = translate(device, iova, write, pa, true);

	if (!ok && !(hw.fault[1] & FRCD_F)) {
		hw.fault[0] = iova & FRCD_ADDR;
		hw.fault[1] = FRCD_F | (write ? 0 : FRCD_T1) | 5ULL << 32 | device;
		hw.fsts |= FSTS_PPF;
	}
	return ok;
}

bool hw_reaches(u32 device, u64 iova)
{
	u64 pa = 0;

	return translate(device, iova, false, &pa, false) && pa == iova;
}

bool hw_interrupt(u32 i, u64 *lo, u64 *hi)
{
	u64 at = (hw.interrupts & VTD_ADDR) + i * 16;

	if (i >= HW_IRTES || i >= 2u << IRTA_SIZE(hw.interrupts))
		stop("interrupt index", i);
	if (!hw.irte[i].valid) {
		hw.irte[i].lo = table_word(at);
		hw.irte[i].hi = table_word(at + 8);
		hw.irte[i].valid = hw.irte[i].lo & IRTE_P;
	}
	*lo = hw.irte[i].lo;
	*hi = hw.irte[i].hi;
	return *lo & IRTE_P;
}

bool hw_look(u32 device, u64 iova, bool write, u64 *pa)
{
	*pa = 0;
	return translate(device, iova, write, pa, false);
}
