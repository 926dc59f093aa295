// SPDX-License-Identifier: GPL-2.0
/*
 * A host that writes any register of the emulated unit, and anything into its own queue and
 * interrupt table: hardware goes on with the layer's, and nobody's memory changes but the
 * host's.  Each input begins with the same world.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iommu/dmar.h"
#include "iommu/emul.h"
#include "iommu/intr.h"
#include "iommu/table.h"
#include "iommu/take.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "tests/unit/vtd_hw.h"

#define FRAMES		2048ULL
#define LAYER_START	896ULL	/* the pool's reserve, and some */
#define INTR		1088ULL
#define LAYER_END	1344ULL
#define VM_FRAME	8ULL	/* among the host's */
#define HOST_QUEUE	1ULL
#define HOST_IRTA	2ULL
#define SECRET		0x5ec2e7a5ec2e7a5eULL

static u8 *begin_ram, *begin_owners;
static struct unit begin_unit;
static struct hw begin_hw;

u64 table_alloc(void)
{
	return 0;
}

void up_log(const char *fmt, ...)
{
	(void)fmt;
}

#define must(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

static void begin(void)
{
	static const struct up_range ram = { 0, FRAMES }, layer = { LAYER_START, LAYER_END };
	static const struct up_range pool = { LAYER_START, INTR };
	static struct dmar dmar = { .units = 1 };
	u64 *vm;
	u32 i;

	dmar.unit[0].regs = (struct dmar_range){ HW_BASE, HW_BASE + 0xfff };
	fake_init(FRAMES, FRAMES, 1);
	up_config = (struct up_config){
		.cpus = 1, .ram_ranges = 1, .layer_chunks = 1, .pool_chunks = 1, .maxphyaddr = 39,
		.table_frames = FRAMES, .ram = &ram, .layer = &layer, .pool = &pool,
	};
	must(!frames_init(&up_config) && !pool_init(&up_config));
	fake_owner_table[VM_FRAME] = FRAME_ENTRY(OWNER_VM0, FRAME_OWNED, 0);
	vm = phys(VM_FRAME << PAGE_SHIFT);
	for (i = 0; i < 512; i++)
		vm[i] = SECRET;
	hw_init(BIT(10) | 0x606 | CAP_SLLPS_2M, ECAP_C | ECAP_QI | ECAP_IR | BIT(4));
	must(!unit_add(&dmar.unit[0]));
	units[0].intr_pa = INTR << PAGE_SHIFT;
	must(!dma_init(&up_config, &dmar) && !unit_take(&units[0]));
	/* The host has both on, as Linux does. */
	emul_write(&units[0], VTD_IQA, 8, HOST_QUEUE << PAGE_SHIFT);
	emul_write(&units[0], VTD_GCMD, 4, GCMD_QIE);
	emul_write(&units[0], VTD_IRTA, 8, HOST_IRTA << PAGE_SHIFT | 7);
	emul_write(&units[0], VTD_GCMD, 4, GCMD_QIE | GCMD_SIRTP);
	emul_write(&units[0], VTD_GCMD, 4, GCMD_QIE | GCMD_IRE);
	begin_ram = malloc(fake_ram_size);
	memcpy(begin_ram, fake_ram, fake_ram_size);
	begin_owners = malloc(FRAMES * sizeof(u64));
	memcpy(begin_owners, fake_owner_table, FRAMES * sizeof(u64));
	begin_unit = units[0];
	begin_hw = hw;
}

static void again(void)
{
	/* What the host and the queue may have changed; the interrupt table: check(). */
	memcpy(fake_ram, begin_ram, 64 << PAGE_SHIFT);
	memcpy(fake_ram + (LAYER_START << PAGE_SHIFT), begin_ram + (LAYER_START << PAGE_SHIFT),
	       (INTR - LAYER_START) << PAGE_SHIFT);
	units[0] = begin_unit;
	hw = begin_hw;
}

/* Neither posted, nor SMI or INIT. */
static bool harmless(u64 lo)
{
	return !(lo & IRTE_POSTED) && IRTE_DLM(lo) != 2 && IRTE_DLM(lo) != 5;
}

static void check(void)
{
	const u64 *vm = phys(VM_FRAME << PAGE_SHIFT), *e = phys(INTR << PAGE_SHIFT);
	bool changed = e[0] || memcmp(e, e + 1, INTR_ENTRIES * IRTE_BYTES - 8);
	u32 i;

	must(hw.root == dma_root(&units[0]) && hw.gsts & GCMD_TE && hw.gsts & GCMD_QIE);
	must(hw.iqa == units[0].queue.pa && !(hw.fsts & FSTS_QUEUE));
	must((hw.interrupts & VTD_ADDR) == INTR << PAGE_SHIFT);
	must(hw.fectl[0] >> 31 && hw.iectl[0] >> 31 && !hw.pmen);
	for (i = 0; i < 512; i++)
		must(vm[i] == SECRET);
	for (i = 0; i < INTR_ENTRIES && changed; i++)
		must(!(e[2 * i] & IRTE_P) || harmless(e[2 * i]));
	if (changed)
		memset(phys(INTR << PAGE_SHIFT), 0, INTR_ENTRIES * IRTE_BYTES);
	/* But for the queue, and the status word and the pool's list at a frame's beginning. */
	for (i = LAYER_START; i < INTR; i++)
		must((u64)i << PAGE_SHIFT == units[0].queue.pa ||
		     !memcmp(fake_ram + ((u64)i << PAGE_SHIFT) + 8,
			     begin_ram + ((u64)i << PAGE_SHIFT) + 8, PAGE_SIZE - 8));
}

struct step {
	u8 what, reg, size, page;
	u16 offset;
	u8 pad[2];
	u64 val;
};

/* A descriptor at the tail of the host's queue, wherever that is by now. */
static void host_says(u64 lo, u64 hi)
{
	u64 iqt = emul_read(&units[0], VTD_IQT, 8);
	u64 at = (emul_read(&units[0], VTD_IQA, 8) & VTD_ADDR) + iqt;
	u64 *d = host_byte(at);

	if (d && at < 64 << PAGE_SHIFT) {
		d[0] = lo;
		d[1] = hi;
	}
	emul_write(&units[0], VTD_IQT, 8, (iqt + DESC_BYTES) % PAGE_SIZE);
}

static void step(const struct step *s)
{
	u32 reg = s->reg < 0xc0 ? s->reg : (u32)s->offset % 0x1000;
	u64 *at = phys(((u64)s->page % 64) << PAGE_SHIFT);

	switch (s->what % 6) {
	case 0:
		if (s->page % 64 != VM_FRAME)
			at[s->offset % 512] = s->val;
		break;
	case 1:
		emul_read(&units[0], reg, s->size);
		break;
	case 2:	/* addresses that lie in RAM, mostly */
		emul_write(&units[0], reg & ~7u, 8,
			   (s->val & 0xfff) | ((u64)s->page % 64) << PAGE_SHIFT);
		break;
	case 3:
		emul_write(&units[0], reg, s->size, s->val);
		break;
	case 4:
		host_says((s->reg & 0xf) | (s->val & ~0xfULL),
			  (u64)s->page << (PAGE_SHIFT + 3) | s->offset % PAGE_SIZE);
		break;
	case 5:
		((u64 *)phys(HOST_IRTA << PAGE_SHIFT))[s->offset % 512] = s->val | IRTE_P;
		host_says(DESC_IEC, 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step s;

	if (!begin_ram)
		begin();
	again();
	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		memcpy(&s, data, sizeof(s));
		step(&s);
	}
	check();
	return 0;
}
