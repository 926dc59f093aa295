// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a protected vCPU that no VMCS holds, swapped with the host's
 * around every stay of the host (docs/root.md).
 */
#include "vmx/vm/vcpu.h"
#include "vmx/base/asm.h"
#include "vmx/cpu/reset_state.h"
#include "vmx/cpu/speculation.h"
#include "vmx/intercept/msr.h"
#include "vmx/base/lib.h"
#include "vmx/base/log.h"
#include "vmx/base/offsets.h"
#include "vmx/cpu/vmcs.h"
#include "vmx/base/x86.h"
#include "ept/pool.h"

#define XFEATURE_PKRU	BIT(9)
#define XSAVE_MXCSR	24		/* offset in the legacy area (SDM vol. 1, 10.5.1) */
#define MXCSR_RESET	0x1f80u

/*
 * MSRs that vmx/intercept/msrs.h calls SWITCHED or QUIET, of those that this processor has;
 * others are as it.  Of the quiet ones the VM's value is zero for ever: by them the host
 * would count, sample or record what the VM does, PEBS into memory of its choice, or
 * change what the VM's instructions do (docs/msrs.md).
 */
static u32 msrs[NR_VCPU_MSRS], nmsrs;

void vcpu_msrs_init(void)
{
	const struct msr_row *r;
	u64 val;
	u32 msr;

	nmsrs = 0;
	for (r = msr_rows; r < msr_rows + msr_nrows; r++) {
		if (r->guest != GUEST_SWITCHED && r->guest != GUEST_QUIET)
			continue;
		for (msr = r->first; msr <= r->last; msr++) {
			up_assert(nmsrs < NR_VCPU_MSRS);
			if (!rdmsr_safe(msr, &val))
				msrs[nmsrs++] = msr;
		}
	}
}

/*
 * Whatever the processor has and what lies within one frame in the standard
 * format: x87, SSE, AVX, MPX, AVX-512, PKRU.  Tile registers do not.
 */
u64 vcpu_xcr0_mask(void)
{
	static u64 mask;
	u32 r[4], i;
	u64 all, m = XCR0_X87 | XCR0_SSE;

	if (mask)
		return mask;
	cpuid(0xd, 0, r);
	all = (u64)r[3] << 32 | r[0];
	for (i = 2; i < 63; i++) {
		if (!(all & BIT(i)))
			continue;
		cpuid(0xd, i, r);
		if (r[1] + r[0] <= PAGE_SIZE)
			m |= BIT(i);
	}
	mask = m;
	return m;
}

static void regs_read(struct cpu_regs *r)
{
	u32 i;

	r->dr[0] = read_dr0();
	r->dr[1] = read_dr1();
	r->dr[2] = read_dr2();
	r->dr[3] = read_dr3();
	r->dr6 = read_dr6();
	r->cr2 = read_cr2();
	r->xcr0 = xgetbv(0);
	for (i = 0; i < nmsrs; i++)
		r->msr[i] = rdmsr(msrs[i]);
}

/* Of the MSRs only what differs from @was, which is in force. */
static void regs_write(const struct cpu_regs *r, const struct cpu_regs *was)
{
	u32 i;

	write_dr0(r->dr[0]);
	write_dr1(r->dr[1]);
	write_dr2(r->dr[2]);
	write_dr3(r->dr[3]);
	write_dr6(r->dr6);
	write_cr2(r->cr2);
	for (i = 0; i < nmsrs; i++)
		if (r->msr[i] != was->msr[i])
			wrmsr(msrs[i], r->msr[i]);
}

/* An XSAVE image whose header says "all initial", with the reset MXCSR. */
static void xsave_init(void *area)
{
	u32 mxcsr = MXCSR_RESET;

	memset(area, 0, PAGE_SIZE);
	memcpy((u8 *)area + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

void vcpu_load(struct vcpu *v)
{
	u64 mask = vcpu_xcr0_mask();

	regs_read(&v->host);
	/* First of all: PEBS may store for a while after it is turned off. */
	regs_write(&v->regs, &v->host);
	xsetbv(0, mask);
	if (mask & XFEATURE_PKRU)
		xsave64(phys(v->host_xsave_pa), XFEATURE_PKRU);
	xrstor64(phys(v->xsave_pa), mask);
	xsetbv(0, v->regs.xcr0);
	speculation_to_vm();
}

void vcpu_save(struct vcpu *v)
{
	static u8 init_area[PAGE_SIZE] __aligned(64);
	u32 mxcsr = MXCSR_RESET;
	u64 mask = vcpu_xcr0_mask();

	regs_read(&v->regs);
	xsetbv(0, mask);
	xsave64(phys(v->xsave_pa), mask);
	/* Never written but for this constant: all components become initial. */
	memcpy(init_area + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	xrstor64(init_area, mask & ~XFEATURE_PKRU);
	if (mask & XFEATURE_PKRU)
		xrstor64(phys(v->host_xsave_pa), XFEATURE_PKRU);
	xsetbv(0, v->host.xcr0);
	regs_write(&v->host, &v->regs);
}

void vcpu_init_state(struct vcpu *v)
{
	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.dr6 = DR6_RESET;
	v->regs.xcr0 = XCR0_X87;
	xsave_init(phys(v->xsave_pa));
	guest_init_state(v->gpr);
	vmwrite(VMCS_GUEST_PAT, PAT_RESET);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmwrite(VMCS_VMCS_LINK, ~0ULL);
}

struct vcpu *vcpu_alloc(struct vm *vm, struct vvmcs *vv)
{
	u64 pa = pool_alloc(), xsave = pool_alloc(), host = pool_alloc();
	struct vcpu *v;

	_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "one frame");
	if (!pa || !xsave || !host) {
		if (pa)
			pool_free(pa);
		if (xsave)
			pool_free(xsave);
		if (host)
			pool_free(host);
		return NULL;
	}
	v = phys(pa);
	v->vm = vm;
	v->vv = vv;
	v->xsave_pa = xsave;
	v->host_xsave_pa = host;
	v->bare = true;
	return v;
}

void vcpu_forget(struct vcpu *v)
{
	memset(v->gpr, 0, sizeof(v->gpr));
	memset(&v->regs, 0, sizeof(v->regs));
	zero_page(phys(v->xsave_pa));
}

void vcpu_free(struct vcpu *v)
{
	u64 pa = (u64)v - (u64)phys(0);

	vcpu_forget(v);
	pool_free(v->xsave_pa);
	pool_free(v->host_xsave_pa);
	zero_page(v);
	pool_free(pa);
}
