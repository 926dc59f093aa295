// SPDX-License-Identifier: GPL-2.0
/* The layer's copies of L1's VMCSs: finding, making, writing back, freeing. */
#include "vmx/vmcs/vvmcs.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"
#include "vmx/base/lib.h"
#include "vmx/base/lock.h"
#include "vmx/base/log.h"
#include "vmx/intercept/caps.h"
#include "vmx/vmcs/shadow_vmcs.h"
#include "ept/owner.h"
#include "ept/pool.h"
#include "ept/shadow.h"

/* How the contents lie in L1's frame while the VMCS is not active: ours to choose. */
struct vmcs12_image {
	u32 revision;
	u32 abort;
	u64 magic;
	u64 f[NR_VMCS_ROWS];
};

#define VMCS12_MAGIC	0x323153434d567075ULL	/* "upVMCS12" */
#define HASH_BUCKETS	1024
#define VPIDS		BIT(16)

_Static_assert(sizeof(struct vmcs12_image) <= PAGE_SIZE, "VMCS12 image exceeds its frame");
_Static_assert(sizeof(struct vvmcs) <= PAGE_SIZE, "struct vvmcs exceeds a frame");
_Static_assert(NR_VMCS_ROWS < 255, "row + 1 must fit vmcs_lookup[]");

static struct spinlock vvmcs_lock;
static struct vvmcs *hash[HASH_BUCKETS];
static u64 vpid_used[VPIDS / 64];
static u32 vpid_hint;		/* the word that had one free */

u8 vmcs_lookup[VMCS_LOOKUP_SIZE];
u64 rows_copied[VMCS_ROW_WORDS];
u64 rows_copied_bound[VMCS_ROW_WORDS];
u64 rows_lazy[VMCS_ROW_WORDS];
u64 rows_merged[VMCS_ROW_WORDS];
u64 rows_ctrl[VMCS_ROW_WORDS];
u64 rows_host[VMCS_ROW_WORDS];
u64 rows_seen[VMCS_ROW_WORDS];

static void classify_row(u32 row)
{
	const struct vmcs_field *d = &vmcs_field[row];
	bool guest_or_ctrl = d->class != CLASS_EXIT;

	if (d->sync == SYNC_COPY || (guest_or_ctrl && d->sync >= SYNC_EAGER)) {
		row_set(rows_copied, row);
		if (d->class != CLASS_GUEST && d->set == SET_YES)
			row_set(rows_copied_bound, row);
	}
	if (d->sync == SYNC_LAZY)
		row_set(rows_lazy, row);
	/* Hardware checks what is copied as it is. */
	if (d->class == CLASS_CTRL && d->sync != SYNC_COPY)
		row_set(rows_ctrl, row);
	/* Merged guest-state rows are computed at every entry, and so is the EPTP. */
	if (d->class == CLASS_CTRL && d->sync == SYNC_MERGE && row != ROW_EPTP)
		row_set(rows_merged, row);
	if (d->class == CLASS_HOST)
		row_set(rows_host, row);
	if (d->see != SEE_OWN)
		row_set(rows_seen, row);
}

void vvmcs_init(void)
{
	for (u32 row = 0; row < NR_VMCS_ROWS; row++) {
		if (!caps_field_exists(&vmcs_field[row]))
			continue;
		vmcs_lookup[vmcs_field[row].encoding / 2] = (u8)(row + 1);
		classify_row(row);
	}
	row_set(rows_ctrl, ROW_CR3_TARGET_COUNT);
	/* KVM writes it often, and no check looks at it. */
	row_clear(rows_host, ROW_HOST_RSP);
	row_set(rows_host, ROW_EXIT_CTLS);	/* says which host MSRs are loaded */
	vpid_used[0] = BIT(VVMCS_FIRST_VPID) - 1;
	shadow_vmcs_init();
}

#define WIDTH_MASK(enc)	(VMCS_ENC_WIDTH(enc) == 0 ? 0xffff : \
			 VMCS_ENC_WIDTH(enc) == 2 ? 0xffffffff : ~0ULL)

const u64 row_mask[NR_VMCS_ROWS] = {
#define VMCS_FIELD(name, enc, exists, class, sync, see, set) WIDTH_MASK(enc),
#include "vmx/cpu/vmcs_fields.h"
};

void vvmcs_fetch(struct percpu *cpu, struct vvmcs *vv, u32 row)
{
	vmptrld(vv->vmcs02_pa);
	vv->f[row] = vmread(vmcs_field[row].encoding);
	vmptrld(cpu->vmcs01_pa);
	row_clear(vv->stale, row);
}

static void fetch_all(struct percpu *cpu, struct vvmcs *vv)
{
	shadow_vmcs_take(vv);
	vmptrld(vv->vmcs02_pa);
	for (u32 row = 0; row < NR_VMCS_ROWS; row++)
		if (row_test(vv->stale, row))
			vv->f[row] = vmread(vmcs_field[row].encoding);
	vmptrld(cpu->vmcs01_pa);
	rows_zero(vv->stale);
}

static struct vvmcs **bucket(u64 pa)
{
	return &hash[(pa >> PAGE_SHIFT ^ pa >> (PAGE_SHIFT + 10)) % HASH_BUCKETS];
}

/* Chains are bounded by the VPIDs: an entry is in exactly one, once. */
static struct vvmcs *find_locked(u64 pa)
{
	struct vvmcs *vv = *bucket(pa);

	while (vv && vv->pa != pa)
		vv = vv->hash_next;
	return vv;
}

u64 vvmcs_pa(const struct vvmcs *vv)
{
	return (u64)vv - (u64)phys(0);
}

static void free_frames(struct vvmcs *vv)
{
	u64 pa[] = { vv->vmcs02_pa, vv->msr_bitmap_pa, vv->shadow_pa, vvmcs_pa(vv) };

	/* A protected vCPU's state must not outlive it in a frame that may go back. */
	if (vv->vmcs02_pa)
		zero_page(phys(vv->vmcs02_pa));
	for (u32 i = 0; i < ARRAY_SIZE(pa); i++)
		if (pa[i])
			pool_free(pa[i]);
}

/* Each has a VPID of its own: two live vvmcs never share translations. */
static int take_vpid(struct vvmcs *vv)
{
	for (u32 i = 0; i < ARRAY_SIZE(vpid_used); i++) {
		u32 bit, word = (vpid_hint + i) % ARRAY_SIZE(vpid_used);

		if (vpid_used[word] == ~0ULL)
			continue;
		bit = (u32)__builtin_ctzll(~vpid_used[word]);
		vpid_used[word] |= BIT(bit);
		vv->vpid = (u16)(word * 64 + bit);
		vpid_hint = word;
		return 0;
	}
	return -UP_ENOSPC;
}

static void import_contents(struct vvmcs *vv)
{
	const struct vmcs12_image *img = host_byte(vv->pa);

	if (!img || READ_ONCE(img->magic) != VMCS12_MAGIC)
		return;
	for (u32 row = 0; row < NR_VMCS_ROWS; row++)
		vv->f[row] = READ_ONCE(img->f[row]) & row_mask[row];
}

static void export_contents(const struct vvmcs *vv)
{
	struct vmcs12_image *img = host_byte(vv->pa);

	/* The frame may have changed hands since VMPTRLD: then the contents are lost. */
	if (!img)
		return;
	memcpy(img->f, vv->f, sizeof(vv->f));
	img->magic = VMCS12_MAGIC;
}

static int init_vmcs02(struct percpu *cpu, struct vvmcs *vv)
{
	int err;

	*(u32 *)phys(vv->vmcs02_pa) = caps_revision();
	err = vmclear(vv->vmcs02_pa) || vmptrld(vv->vmcs02_pa);
	if (!err)
		vmwrite(VMCS_VMCS_LINK, ~0ULL);
	return vmptrld(cpu->vmcs01_pa) || err ? -UP_EIO : 0;
}

/* KVM goes on without what it cannot load: these come before tables, and before growth. */
static u64 vvmcs_frame(void)
{
	u64 pa;

	spin_lock(&frames_lock);
	pa = table_alloc_kvm();
	spin_unlock(&frames_lock);
	return pa;
}

/* Everything but the VPID and the hash chain. */
static struct vvmcs *make(struct percpu *cpu, u64 pa)
{
	u64 self = vvmcs_frame();
	struct vvmcs *vv;

	if (!self)
		return NULL;
	vv = phys(self);
	vv->pa = pa;
	vv->cpu = VVMCS_NO_CPU;
	vv->host_cpu = VVMCS_NO_CPU;
	vv->vmcs02_pa = vvmcs_frame();
	vv->msr_bitmap_pa = vvmcs_frame();
	if (!vv->vmcs02_pa || !vv->msr_bitmap_pa || init_vmcs02(cpu, vv)) {
		free_frames(vv);
		return NULL;
	}
	vv->remerge = true;
	memset(vv->dirty, 0xff, sizeof(vv->dirty));
	import_contents(vv);
	shadow_vmcs_make(cpu, vv, vvmcs_frame);
	return vv;
}

static void activate(struct percpu *cpu, struct vvmcs *vv)
{
	vv->cpu = cpu->cpu;
	vv->flush_vpid = true;	/* this CPU may remember an earlier stay, or a former owner */
	vv->cpu_next = cpu->nested.active;
	vv->cpu_prev = &cpu->nested.active;
	if (vv->cpu_next)
		vv->cpu_next->cpu_prev = &vv->cpu_next;
	cpu->nested.active = vv;
}

static int insert(struct vvmcs *vv)
{
	int err = take_vpid(vv);
	struct vvmcs **head = bucket(vv->pa);

	if (err)
		return err;
	vv->hash_next = *head;
	*head = vv;
	return 0;
}

/* Hardware may hold their contents in this CPU until they are cleared here. */
static void clear_vmcss(const struct vvmcs *vv)
{
	vmclear(vv->vmcs02_pa);
	if (vv->shadow_pa)
		vmclear(vv->shadow_pa);
}

int vvmcs_load(struct percpu *cpu, u64 pa, struct vvmcs **out)
{
	struct vvmcs *vv;
	int err = 0;

	spin_lock(&vvmcs_lock);
	vv = find_locked(pa);
	if (!vv) {
		vv = make(cpu, pa);
		err = vv ? insert(vv) : -UP_ENOMEM;
		if (err && vv) {
			clear_vmcss(vv);
			free_frames(vv);
		}
	}
	if (!err && vv->cpu == VVMCS_NO_CPU)
		activate(cpu, vv);
	else if (!err && vv->cpu != cpu->cpu)
		err = -UP_EBUSY;
	spin_unlock(&vvmcs_lock);
	if (!err)
		*out = vv;
	return err;
}

static void unlink_hash(struct vvmcs *vv)
{
	struct vvmcs **p = bucket(vv->pa);

	while (*p && *p != vv)
		p = &(*p)->hash_next;
	if (*p)
		*p = vv->hash_next;
	vpid_used[vv->vpid / 64] &= ~BIT(vv->vpid % 64);
}

static void deactivate(struct percpu *cpu, struct vvmcs *vv)
{
	*vv->cpu_prev = vv->cpu_next;
	if (vv->cpu_next)
		vv->cpu_next->cpu_prev = vv->cpu_prev;
	clear_vmcss(vv);
	vmptrld(cpu->vmcs01_pa);
	if (cpu->nested.current == vv)
		vvmcs_make_current(cpu, NULL);
	vv->launched = false;
	vv->hw_launched = false;
	vv->host_cpu = VVMCS_NO_CPU;
	vv->cpu = VVMCS_NO_CPU;
}

static void clear_locked(struct percpu *cpu, struct vvmcs *vv)
{
	if (!vv->vcpu)
		fetch_all(cpu, vv);
	deactivate(cpu, vv);
	if (vv->vcpu)
		return;
	export_contents(vv);
	unlink_hash(vv);
	free_frames(vv);
}

int vvmcs_clear(struct percpu *cpu, u64 pa)
{
	struct vvmcs *vv;
	int err = 0;

	spin_lock(&vvmcs_lock);
	vv = find_locked(pa);
	if (vv && vv->cpu == cpu->cpu)
		clear_locked(cpu, vv);
	else if (vv && vv->cpu != VVMCS_NO_CPU)
		err = -UP_EBUSY;
	spin_unlock(&vvmcs_lock);
	return err;
}

void vvmcs_clear_all(struct percpu *cpu)
{
	spin_lock(&vvmcs_lock);
	while (cpu->nested.active)
		clear_locked(cpu, cpu->nested.active);
	spin_unlock(&vvmcs_lock);
}

void vvmcs_for_vpid(struct percpu *cpu, u16 vpid, void (*fn)(u16 hw_vpid, u64 arg), u64 arg)
{
	struct vvmcs *vv;

	for (vv = cpu->nested.active; vv; vv = vv->cpu_next)
		if (vv->f[ROW_VPID] == vpid)
			fn(vv->vpid, arg);
}

int vvmcs_bind(struct percpu *cpu, struct vvmcs *vv, struct vcpu *vcpu)
{
	if (vv->cpu != cpu->cpu)
		return -UP_EBUSY;
	if (vv->vcpu)
		return -UP_EEXIST;
	fetch_all(cpu, vv);
	memset(vv->dirty, 0xff, sizeof(vv->dirty));
	vv->ept = NULL;		/* protect_entry() sets the VM's own */
	vv->vcpu = vcpu;
	return 0;
}

int vvmcs_unbind(struct percpu *cpu, struct vvmcs *vv)
{
	int err = 0;

	spin_lock(&vvmcs_lock);
	if (vv->cpu == cpu->cpu)
		deactivate(cpu, vv);
	else if (vv->cpu != VVMCS_NO_CPU)
		err = -UP_EBUSY;
	if (!err) {
		unlink_hash(vv);
		/* The VM's registers: free frames outlive the layer. */
		zero_page(phys(vv->vmcs02_pa));
		free_frames(vv);
	}
	spin_unlock(&vvmcs_lock);
	return err;
}
