// SPDX-License-Identifier: GPL-2.0
/*
 * A host whose tables translate DMA, and who writes anything into them, its queue and the
 * emulated unit's registers, while frames go to a VM and come back: what hardware walks is the
 * layer's, and leads to nobody's frame but the host's.  Each input begins with the same world.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iommu/dmar.h"
#include "iommu/emul.h"
#include "iommu/queue.h"
#include "iommu/table.h"
#include "iommu/take.h"
#include "ept/flush.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/table.h"
#include "ept/transition.h"
#include "vmx/base/asm.h"
#include "vmx/base/cpus.h"
#include "tests/unit/vtd_hw.h"

#define FRAMES		2048ULL
#define LAYER_START	896ULL
#define LAYER_END	1344ULL
#define TABLES		64ULL	/* of the host's: its root table is frame 1, contexts 2, 3 */
#define HOST_QUEUE	64ULL
#define VM_FRAME	40ULL	/* one of its tables, now and then */
#define PIECES		64	/* of a write that does not end soon */

static struct owner vm;

u64 table_alloc(void)
{
	return pool_alloc();
}

#define must(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

static u64 *word(u64 pfn)
{
	return phys(pfn << PAGE_SHIFT);
}

static void linux_translates(void)
{
	u32 i;

	word(1)[0] = 2ULL << PAGE_SHIFT | ENTRY_P;
	for (i = 0; i < 2; i++) {
		word(2)[2 * i] = (4ULL + 8 * i) << PAGE_SHIFT | ENTRY_P;
		word(2)[2 * i + 1] = CONTEXT_DID(1 + i) | CONTEXT_AW(4);
		word(4 + 8 * i)[0] = (5ULL + 8 * i) << PAGE_SHIFT | DMA_RW;
		word(5 + 8 * i)[0] = (6ULL + 8 * i) << PAGE_SHIFT | DMA_RW;
		word(6 + 8 * i)[0] = (7ULL + 8 * i) << PAGE_SHIFT | DMA_RW;
		word(7 + 8 * i)[0] = (VM_FRAME + i) << PAGE_SHIFT | DMA_RW;
	}
	hw.rtaddr = hw.root = 1ULL << PAGE_SHIFT;
	hw.gsts = GCMD_TE | GCMD_SRTP | GCMD_QIE;
	hw.iqa = HOST_QUEUE << PAGE_SHIFT;
}

static void begin(void)
{
	static const struct up_range ram = { 0, FRAMES }, layer = { LAYER_START, LAYER_END };
	static struct dmar dmar = { .units = 1 };

	dmar.unit[0].regs = (struct dmar_range){ HW_BASE, HW_BASE + 0xfff };
	fake_init(FRAMES, FRAMES, 1);
	up_config = (struct up_config){
		.cpus = 1, .ram_ranges = 1, .layer_chunks = 1, .pool_chunks = 1, .maxphyaddr = 39,
		.table_frames = FRAMES, .ram = &ram, .layer = &layer, .pool = &layer,
	};
	must(!frames_init(&up_config) && !pool_init(&up_config));
	hw_init(BIT(10) | 0x606, ECAP_C | ECAP_QI);
	linux_translates();
	must(!unit_add(&dmar.unit[0]));
	units[0].translates = true;
	must(!dma_init(&up_config, &dmar) && !unit_take(&units[0]));
	vm.state = UP_VM_BUILDING;
	rewind_ram(fake_ram, fake_ram_size);
	rewind_also(fake_owner_table, FRAMES * sizeof(u64));
	rewind_also(fake_cpu, ALIGN_DOWN(sizeof(*fake_cpu), 8));
	rewind_mark();
}

/* --- what must hold ----------------------------------------------------------------- */

static bool may_be_reached(u64 pfn)
{
	u64 e = frame_entry(pfn);

	return e && (frame_is_hosts(pfn) || FRAME_STATE(e) == FRAME_PENDING);
}

static void check_tree(u64 table, u32 level)
{
	u32 i;
	u64 e;

	must(FRAME_OWNER(frame_entry(table >> PAGE_SHIFT)) == OWNER_LAYER);
	for (i = 0; i < 512; i++) {
		e = ((u64 *)phys(table))[i];
		if (e && level > 1 && !(e & EPT_LARGE))
			check_tree(e & VTD_ADDR, level - 1);
		else if (e)
			must(may_be_reached((e & VTD_ADDR) >> PAGE_SHIFT));
	}
}

static void check(void)
{
	const u64 *root = phys(hw.root & VTD_ADDR), *c;
	u32 bus, i;

	must(hw.gsts & GCMD_TE && hw.gsts & GCMD_QIE && hw.iqa == units[0].queue.pa);
	must(hw.root == dma_root(&units[0]) || hw.root == units[0].root_pa);
	must(!(hw.fsts & FSTS_QUEUE));
	for (bus = 0; bus < 256; bus++) {
		if (!root[2 * bus] || (bus && hw.root == dma_root(&units[0])))
			continue;	/* all buses have the same */
		must(FRAME_OWNER(frame_entry(root[2 * bus] >> PAGE_SHIFT)) == OWNER_LAYER);
		c = phys(root[2 * bus] & VTD_ADDR);
		for (i = 0; i < 256; i++) {
			if (!c[2 * i])
				continue;
			must(!CONTEXT_T(c[2 * i]) && CONTEXT_DID_OF(c[2 * i + 1]));
			check_tree(c[2 * i] & VTD_ADDR, CONTEXT_LEVELS(c[2 * i + 1]));
			if (CONTEXT_DID_OF(c[2 * i + 1]) == DMA_DOMAIN)
				break;		/* all devices have the same */
		}
	}
}

/* --- steps ------------------------------------------------------------------------------ */

struct step {
	u8 what, page;
	u16 offset;
	u8 flags, target;
	u8 pad[2];
	u64 val;
};

static void writes(u32 reg, u64 val)
{
	u32 i;

	for (i = 0; i < PIECES && !emul_write(&units[0], reg, 8, val); i++)
		;
}

static void host_says(u64 lo, u64 hi)
{
	u64 iqt = emul_read(&units[0], VTD_IQT, 8) % PAGE_SIZE;

	word(HOST_QUEUE)[iqt / 8] = lo;
	word(HOST_QUEUE)[iqt / 8 + 1] = hi;
	writes(VTD_IQT, (iqt + DESC_BYTES) % PAGE_SIZE);
}

static void change_owner(u32 n)
{
	u64 pfn;

	if (n % 3 == 0) {
		host_donate_vm(&vm, VM_FRAME + n % 2, n % 2);
	} else if (n % 3 == 1) {
		flush_this_cpu();
		vm_commit(&vm);
	} else {
		vm.state = UP_VM_DEAD;
		flush_this_cpu();
		vm_return_host(&vm, n % 2, &pfn);
		if (!vm.frames)
			vm.state = UP_VM_BUILDING;
	}
}

static void step(const struct step *s)
{
	u64 pfn = s->page % TABLES, pa, to = ((u64)s->target % 80) << PAGE_SHIFT;
	bool writable = frame_host_usable(pfn);

	switch (s->what % 8) {
	case 0:		/* what a table may have, mostly */
	case 1:
		if (writable)
			word(pfn)[s->offset % (s->flags & 128 ? 512 : 8)] = to | (s->flags & 0x87);
		break;
	case 2:
		if (writable)
			word(pfn)[s->offset % 512] = s->val;
		break;
	case 3:
		host_says((s->flags & 0x30) | (s->page & 1 ? DESC_CONTEXT : DESC_IOTLB) |
			  (s->val & 0x0003000300030000ULL),
			  ((s->val >> 8) << PAGE_SHIFT) | (s->target & 0x3f));
		break;
	case 4:
		host_says(s->val, to | s->offset);
		break;
	case 5:
		pa = (s->val % 0x8000000) << PAGE_SHIFT;
		if (hw_dma(s->page % 2, s->page & 2 ? pa : 0, s->page & 4, &pa))
			must(may_be_reached(pa >> PAGE_SHIFT));
		break;
	case 6:
		change_owner(s->page);
		break;
	case 7:
		if (s->page & 1)
			writes(VTD_RTADDR, to);
		writes(VTD_GCMD, (s->val & (GCMD_TE | GCMD_SRTP)) | GCMD_QIE);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	struct step s;

	if (!begun) {
		begun = true;	/* and so it is after each input */
		begin();
	}
	for (; size >= sizeof(s); data += sizeof(s), size -= sizeof(s)) {
		memcpy(&s, data, sizeof(s));
		step(&s);
	}
	check();
	rewind_all();
	return 0;
}
