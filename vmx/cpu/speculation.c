// SPDX-License-Identifier: GPL-2.0
/* See speculation.h (SDM vol. 4, IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_FLUSH_CMD). */
#include "vmx/cpu/speculation.h"
#include "vmx/base/asm.h"
#include "vmx/base/offsets.h"
#include "vmx/base/x86.h"

static bool has_ibpb, flush_l1d, evict_l1d, clear_buffers, leaks;

/*
 * The host counts on IBRS to keep its VMs' kernels from training it.  That tells root
 * from non-root mode, and the host is not in root mode any more.
 */
static bool host_uses_ibrs;

void speculation_init(void)
{
	u64 arch = 0, ctrl = 0;
	bool l1tf;
	u32 r[4];

	cpuid(7, 0, r);
	if ((r[3] & CPUID7_EDX_ARCH_CAPS) && rdmsr_safe(MSR_ARCH_CAPABILITIES, &arch))
		arch = 0;
	l1tf = !(arch & (ARCH_RDCL_NO | ARCH_SKIP_L1D_FLUSH));
	flush_l1d = l1tf && (r[3] & CPUID7_EDX_L1D_FLUSH);
	evict_l1d = l1tf && !flush_l1d;
	leaks = l1tf || !(arch & ARCH_MDS_NO);
	clear_buffers = r[3] & CPUID7_EDX_MD_CLEAR;
	has_ibpb = r[3] & CPUID7_EDX_IBRS_IBPB;
	if (has_ibpb && !rdmsr_safe(MSR_SPEC_CTRL, &ctrl) && (ctrl & SPEC_CTRL_IBRS))
		host_uses_ibrs = true;
}

bool speculation_smt(void)
{
	u32 r[4];

	cpuid(CPUID_TOPOLOGY, 0, r);
	return leaks && (r[1] & 0xffff) > 1;
}

void speculation_to_vm(void)
{
	if (has_ibpb)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	fill_rsb();
}

void speculation_to_host(bool protected)
{
	if (host_uses_ibrs)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	if (!protected)
		return;
	if (flush_l1d)
		wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	else if (evict_l1d)
		read_l1d((const u8 *)UP_TABLE_BASE);	/* any 64 KiB that hold no secret */
	if (clear_buffers)
		verw(ROOT_DS);
}
