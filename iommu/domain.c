// SPDX-License-Identifier: GPL-2.0
/*
 * Where Linux translates DMA.  A unit reads tables at any time, so that it must not read them
 * where the host can write.  What it walks is the layer's: a root table, context tables, and a
 * tree for each domain that a context entry of the host's names.  They are a cache of
 * the host's tables, filled at the launch, and brought up to date where the driver says
 * that it has changed something, as a unit in caching mode may ask it to (VT-d specification
 * 6.1).  Nothing is remembered of how the host's tables hang together: each look begins at the
 * domain's top, and is as deep as there are levels, whatever leads where.
 *
 * A leaf leads to what devices may reach anyway (iommu/table.c), and is taken out when that
 * changes.  So what the host's tables say decides what its devices see of the host's memory,
 * and never of anybody else's.
 */

#include "iommu/domain.h"
#include "iommu/queue.h"
#include "iommu/table.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/table.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"

#define FUNCTIONS	256U	/* of a bus */
#define SOURCES		0x10000U
#define LEVELS_MIN	3
#define LEVELS_MAX	5
#define FIRST_ID	(DMA_DOMAIN + 1)
#define PER_PAGE	(PAGE_SIZE / sizeof(struct unit_domain))
#define WORK		8192	/* entries that a sweep looks at in one call: some 100 us */

/* A domain of the host's: a tree, and the layer's copy.  Devices in it: @contexts. */
struct unit_domain {
	u64 top;	/* the host's uppermost table */
	u64 root;	/* the layer's; 0: the row is free */
	u32 contexts;	/* entries that lead here; 0: it ends when the unit has forgotten it */
	u16 did;	/* as the host calls it, */
	u16 id;		/* and as the unit does */
	u8 levels;	/* of the host's */
	bool whole;	/* all that the host's has was looked at once */
};

/* One row for each of u->domain_pa, in order. */
static struct unit_domain *domain(const struct unit *u, u32 n)
{
	u64 pa = n < UNIT_DOMAIN_PAGES * PER_PAGE ? u->domain_pa[n / PER_PAGE] : 0;

	return pa ? (struct unit_domain *)phys(pa) + n % PER_PAGE : NULL;
}

static u64 spans(u32 level)
{
	return 1ULL << 9 * (level - 1);
}

static u64 last_frame(const struct unit *u)
{
	return spans(u->domain_levels + 1) - 1;
}

static bool got(struct unit *u, bool frame)
{
	if (!frame) {
		u->host.starved = true;
		up_log_seldom("unit %u: no frame for a table of a device's: DMA will be refused",
			      unit_number(u));
	}
	return frame;
}

static u64 make_table(struct unit *u)
{
	u64 pa = dma_table();

	return got(u, pa) ? pa : 0;
}

/* A change that the unit may have to be told of: it may even remember that there was nothing. */
static void changed(struct unit *u, u64 old, u32 what)
{
	if (old || u->cap & (CAP_CM | CAP_RWBF))
		u->host.stale |= what;
}

static void set_entry(struct unit *u, u64 *e, u64 val)
{
	if (*e == val)
		return;
	changed(u, *e, FORGET_IOTLB);
	dma_set(e, val);
}

/* --- what the host's tables say --------------------------------------------------- */

/* From a frame of device addresses on, as far as one entry of level 2 or above reaches. */
struct run {
	u64 e;		/* a table of leaves, or one large leaf */
	u32 level;	/* of it, or where there is nothing */
	u64 access;	/* DMA_RW, as far as all levels allow; 0: there is nothing */
};

static bool reserved(const struct unit *u, u64 e, u32 level)
{
	if (e & (SL_RESERVED | (u->ecap & ECAP_SC ? 0 : SL_SNP)))
		return true;
	return level > 1 && e & EPT_LARGE &&
	       (level > 3 || e & VTD_ADDR & (EPT_SPAN(level) - 1));
}

static struct run host_run(const struct unit *u, const struct unit_domain *d, u64 at)
{
	struct run r = { d->top, d->levels + 1U, at > spans(d->levels + 1U) - 1 ? 0 : DMA_RW };
	const u64 *t;

	while (r.access && r.level > 2 && !(r.e & EPT_LARGE)) {
		t = host_byte(r.e & VTD_ADDR);
		r.level--;
		r.e = t ? READ_ONCE(t[ept_index(at << PAGE_SHIFT, r.level)]) : 0;
		r.access &= reserved(u, r.e, r.level) ? 0 : r.e;
	}
	return r;
}

/* @at's part of a large leaf, which is not checked yet */
static u64 part(const struct run *r, u64 at)
{
	return r->e + ((at & (spans(r->level) - 1)) << PAGE_SHIFT);
}

/* @t: the host's table of leaves, if it is not a large one */
static u64 host_leaf(const struct unit *u, const struct run *r, const u64 *t, u64 at)
{
	u64 e = r->e & EPT_LARGE ? part(r, at) : t ? READ_ONCE(t[at % EPT_ENTRIES]) : 0;

	if (!(e & r->access) || reserved(u, e, 1))
		return 0;
	return (e & (VTD_ADDR | SL_SNP)) | (e & r->access);
}

/* A leaf for 2 MiB, if devices reach them all; else 0: it takes leaves for each frame. */
static u64 whole(u64 e)
{
	return e & EPT_LARGE && dma_reaches_large((e & VTD_ADDR) >> PAGE_SHIFT) ? e : 0;
}

static u64 host_large_leaf(const struct run *r, u64 at)
{
	u64 e = part(r, at & ~(EPT_ENTRIES - 1ULL));

	return r->access ? whole((e & (VTD_ADDR | SL_SNP | EPT_LARGE)) | r->access) : 0;
}

/* --- the copy ---------------------------------------------------------------------- */

/* The layer's entry of level 2 for @at.  NULL: there is none, nor anything else at *@level. */
static u64 *our_run(struct unit *u, const struct unit_domain *d, u64 at, bool make, u32 *level)
{
	u64 *e, table = d->root;

	for (*level = u->domain_levels; ; --*level) {
		e = (u64 *)phys(table) + ept_index(at << PAGE_SHIFT, *level);
		if (*level == 2)
			return e;
		if (!*e && !(make && got(u, dma_split(e))))
			return NULL;
		table = *e & EPT_ADDR;
	}
}

/* The table of leaves at @e.  @make: if need be, one is made.  NULL: @large, or 0, is there. */
static u64 *our_leaves(struct unit *u, u64 *e, u64 large, bool make)
{
	if (ept_is_table(*e) || (make && got(u, dma_split(e))))
		return phys(*e & EPT_ADDR);
	set_entry(u, e, large);
	return NULL;
}

/* @again: the leaf is there already, and devices may have lost what it leads to. */
static void set_leaf(struct unit *u, u64 *e, u64 leaf, bool again)
{
	u64 pa = leaf & VTD_ADDR;

	if (leaf == *e && !again)
		return;
	if (leaf && !dma_reaches(pa >> PAGE_SHIFT)) {
		/* Linux's driver maps the hole below 1 MiB for an ISA bridge, for example. */
		if (!again && frame_entry(pa >> PAGE_SHIFT))
			up_log_seldom("unit %u: no device reaches %lx, which the host maps",
				      unit_number(u), pa);
		leaf = 0;
	}
	set_entry(u, e, leaf);
}

/* As far as one of the layer's tables of leaves reaches.  Return: how many leaves that are */
static u64 sync_leaves(struct unit *u, const struct run *r, u64 *ours, u64 at, u64 last, bool sweep)
{
	const u64 *theirs = r->access && !(r->e & EPT_LARGE) ? host_byte(r->e & VTD_ADDR) : NULL;
	u64 i, end = at | (EPT_ENTRIES - 1);

	if (end > last)
		end = last;
	for (i = at; i <= end; i++)
		set_leaf(u, &ours[i % EPT_ENTRIES],
			 sweep ? ours[i % EPT_ENTRIES] : host_leaf(u, r, theirs, i), sweep);
	return end - at + 1;
}

/*
 * From @at on, as far as one of the layer's entries of level 2, or nothing, reaches.
 * @sweep: what is there stays, if it may; the host's tables have no say.
 * Return: how many frames of device addresses were looked at.
 */
static u64 sync_run(struct unit *u, const struct unit_domain *d, u64 at, u64 last, bool sweep,
		    u32 *left)
{
	struct run r = { .level = LEVELS_MAX + 1 };
	u64 *e, *ours = NULL, large, n;
	u32 level;

	if (!sweep)
		r = host_run(u, d, at);
	e = our_run(u, d, at, r.access, &level);
	if (e) {
		large = sweep ? whole(*e) : host_large_leaf(&r, at);
		ours = our_leaves(u, e, large, !large && (sweep ? *e : r.access));
	}
	if (!ours) {
		--*left;
		n = spans(level < r.level ? level : r.level);
		return n - at % n;
	}
	n = sync_leaves(u, &r, ours, at, last, sweep);
	*left -= *left < n ? *left : (u32)n;
	return n;
}

/* Return: false when there is more, from *@at on. */
static bool sync(struct unit *u, const struct unit_domain *d, u64 *at, u64 last, bool sweep,
		 u32 *left)
{
	while (*at <= last) {
		if (!*left)
			return false;
		*at += sync_run(u, d, *at, last, sweep, left);
	}
	*at = 0;
	return true;
}

/* --- domains and context entries ---------------------------------------------------- */

static struct unit_domain *free_row(struct unit *u, u32 *n)
{
	u32 rows = CAP_DOMAINS(u->cap) - FIRST_ID;
	struct unit_domain *d;

	for (*n = 0; *n < rows && *n < UNIT_DOMAIN_PAGES * PER_PAGE; ++*n) {
		if (!u->domain_pa[*n / PER_PAGE])
			u->domain_pa[*n / PER_PAGE] = make_table(u);
		d = domain(u, *n);
		if (!d || !d->root)
			return d;
	}
	return NULL;
}

static struct unit_domain *new_domain(struct unit *u, u16 did, u64 top, u32 levels)
{
	struct unit_domain *d;
	u32 n;

	d = free_row(u, &n);
	if (!d)
		return NULL;
	*d = (struct unit_domain){
		.top = top, .root = make_table(u), .did = did, .id = (u16)(n + FIRST_ID),
		.levels = (u8)levels,
	};
	return d->root ? d : NULL;
}

/* One tree for each number of a domain, as the specification asks (6.2.1); else NULL. */
static struct unit_domain *find_domain(struct unit *u, u64 lo, u64 hi)
{
	u64 top = lo & VTD_ADDR;
	u32 n, levels = CONTEXT_LEVELS(hi);
	struct unit_domain *d;

	if (levels < LEVELS_MIN || levels > u->domain_levels)
		return NULL;
	for (n = 0; (d = domain(u, n)); n++)
		if (d->contexts && d->did == CONTEXT_DID_OF(hi))
			return d->top == top && d->levels == levels ? d : NULL;
	return new_domain(u, CONTEXT_DID_OF(hi), top, levels);
}

static u64 host_root_entry(const struct unit *u, u32 source)
{
	const u64 *root = host_byte(u->host.rtaddr & VTD_ADDR);
	u64 e = root ? READ_ONCE(root[2 * (source / FUNCTIONS)]) : 0;

	return e & ENTRY_P ? e : 0;
}

static u64 *our_root_entry(const struct unit *u, u32 source)
{
	return (u64 *)phys(u->root_pa) + 2 * (source / FUNCTIONS);
}

/* What stands for the host's entry: @want.  Return: the domain that it leads to, if any. */
static struct unit_domain *wanted(struct unit *u, u32 source, u64 *want)
{
	u64 e = host_root_entry(u, source), lo, hi;
	const u64 *theirs = e ? host_byte(e & VTD_ADDR) : NULL;
	struct unit_domain *d = NULL;

	want[0] = want[1] = 0;
	if (!theirs)
		return NULL;
	lo = READ_ONCE(theirs[2 * (source % FUNCTIONS)]);
	hi = READ_ONCE(theirs[2 * (source % FUNCTIONS) + 1]);
	if (!(lo & ENTRY_P) || CONTEXT_T(lo) == CONTEXT_T_RESERVED)
		return NULL;
	if (CONTEXT_T(lo) == CONTEXT_T_PASS) {
		dma_context(u, want);
		return NULL;
	}
	d = find_domain(u, lo, hi);
	if (!d) {
		up_log_seldom("unit %u: device %x: no tables for the domain %u", unit_number(u),
			      source, CONTEXT_DID_OF(hi));
		return NULL;
	}
	/* Untranslated requests, whatever the host allows (9.3). */
	want[0] = d->root | ENTRY_P;
	want[1] = CONTEXT_DID(d->id) | CONTEXT_AW(u->domain_levels);
	return d;
}

/* The layer's entry.  @make: a table for it.  NULL: there is none. */
static u64 *our_context(struct unit *u, u32 source, bool make)
{
	u64 pa, *e = our_root_entry(u, source);

	if (!*e) {
		pa = make ? make_table(u) : 0;
		if (!pa)
			return NULL;
		changed(u, *e, FORGET_CONTEXT);
		dma_set(e, pa | ENTRY_P);
	}
	return (u64 *)phys(*e & VTD_ADDR) + 2 * (source % FUNCTIONS);
}

static void set_context(struct unit *u, u64 *c, const u64 *want, struct unit_domain *d)
{
	struct unit_domain *old = c[0] ? domain(u, CONTEXT_DID_OF(c[1]) - FIRST_ID) : NULL;

	if (c[0] == want[0] && c[1] == want[1])
		return;
	changed(u, c[0], FORGET_CONTEXT | FORGET_IOTLB);
	if (d)
		d->contexts++;
	if (old)
		old->contexts--;
	dma_set(&c[0], 0);
	dma_set(&c[1], want[1]);
	dma_set(&c[0], want[0]);
}

/* One device: its entry, and the tables of a domain that is new. */
static bool sync_context(struct unit *u, u32 source, u32 *left)
{
	u64 want[2], *c;
	struct unit_domain *d = wanted(u, source, want);

	c = our_context(u, source, want[0]);
	if (c)
		set_context(u, c, want, d);
	--*left;
	if (c && d && !d->whole)
		d->whole = sync(u, d, &u->host.at, last_frame(u), false, left);
	return !c || !d || d->whole;
}

static bool sync_contexts(struct unit *u, u32 first, u32 last, u32 *left)
{
	u32 *at = &u->host.item;

	if (*at < first)
		*at = first;
	while (*at <= last) {
		if (!*left)
			return false;
		if (!host_root_entry(u, *at) && !*our_root_entry(u, *at)) {
			*at |= FUNCTIONS - 1;	/* no such bus */
			--*left;
		} else if (!sync_context(u, *at, left)) {
			return false;
		}
		++*at;
	}
	*at = 0;
	return true;
}

static bool sync_tables(struct unit *u, u64 lo, u64 hi, u32 *left)
{
	bool all = (lo & DESC_ONE) == DESC_GLOBAL, range = (lo & DESC_ONE) == DESC_ONE;
	u64 pages = 1ULL << DESC_ADDR_MASK(hi), last = last_frame(u);
	u64 first = range ? hi >> PAGE_SHIFT & ~(pages - 1) : 0;
	u32 *n = &u->host.item;
	const struct unit_domain *d;

	if (first > last)
		return true;
	if (range && pages - 1 < last - first)
		last = first + pages - 1;
	for (; (d = domain(u, *n)); ++*n) {
		if (!*left)
			return false;
		--*left;
		if (!d->contexts || (!all && d->did != DESC_DID(lo)))
			continue;
		if (u->host.at < first)
			u->host.at = first;
		if (!sync(u, d, &u->host.at, last, false, left))
			return false;
	}
	*n = 0;
	return true;
}

/* --- from outside --------------------------------------------------------------------- */

bool domains_sync(struct unit *u, u64 lo, u64 hi, u32 *left)
{
	u32 more = DESC_FM(lo) ? 7 : 0;		/* all functions of the device, then */

	if (!(lo & DESC_ONE))
		return true;
	if (DESC_TYPE(lo) == DESC_IOTLB)
		return sync_tables(u, lo, hi, left);
	if (DESC_TYPE(lo) != DESC_CONTEXT)
		return true;
	if ((lo & DESC_ONE) == DESC_ONE)
		return sync_contexts(u, DESC_SID(lo) & ~more, DESC_SID(lo) | more, left);
	return sync_contexts(u, 0, SOURCES - 1, left);
}

bool domains_init(struct unit *u)
{
	u32 left = 0;

	u->domain_levels = unit_deepest(u);
	u->root_pa = make_table(u);
	while (!u->host.starved && !sync_contexts(u, 0, SOURCES - 1, &left))
		left = WORK;
	u->host.stale = 0;	/* the unit has seen nothing of it */
	return !u->host.starved;
}

bool domains_reap(struct unit *u, u32 *left)
{
	struct unit_domain *d;
	u32 n;

	for (n = 0; (d = domain(u, n)); n++) {
		if (!d->root || d->contexts)
			continue;
		if (!ept_free_below(d->root, u->domain_levels, left, pool_free))
			return false;
		pool_free(d->root);
		d->root = 0;
	}
	return true;
}

bool domains_swept(struct unit *u)
{
	struct unit_sweep *s = &u->sweep;
	const struct unit_domain *d;
	u32 left = WORK;

	if (!s->item && !s->at)
		s->target = dma_losses();
	if (s->done == s->target)
		return true;
	/* Those that have ended, too: the unit may still know the way. */
	for (; (d = domain(u, s->item)); s->item++)
		if (!left || (d->root && !sync(u, d, &s->at, last_frame(u), true, &left)))
			return false;
	s->item = 0;
	s->done = s->target;
	return true;
}
