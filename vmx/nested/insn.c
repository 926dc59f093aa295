// SPDX-License-Identifier: GPL-2.0
/* VMX instructions executed by L1 (SDM vol. 3, chapter 31). */
#include "vmx/nested/nested.h"
#include "vmx/nested/entry.h"
#include "vmx/nested/l1mem.h"
#include "vmx/nested/result.h"
#include "vmx/abi/errno.h"
#include "vmx/base/log.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/operand.h"
#include "vmx/cpu/paging.h"
#include "vmx/intercept/caps.h"
#include "vmx/vmcs/check.h"
#include "vmx/vmcs/shadow_vmcs.h"
#include "vmx/vmcs/vvmcs.h"
#include "ept/shadow.h"

#define NO_VMCS		(~0ULL)

/* Address of the memory operand, or false: an exception has been injected. */
static bool memory_operand(struct percpu *cpu, u32 len, u64 *la)
{
	u32 info = vmread(VMCS_EXIT_INSN_INFO), seg = INFO_SEGMENT(info);
	struct operand op = {
		.info = info,
		.disp = vmread(VMCS_EXIT_QUAL),
		.base = info & INFO_NO_BASE ? 0 : guest_gpr(cpu, INFO_BASE(info)),
		.index = info & INFO_NO_INDEX ? 0 : guest_gpr(cpu, INFO_INDEX(info)),
		.la57 = vmread(VMCS_GUEST_CR4) & CR4_LA57,
		.len = len,
		.seg_base = vmread(VMCS_GUEST_ES_BASE + 2 * seg),
	};
	u32 vector = operand_linear(&op, la);

	if (!vector)
		return true;
	inject_exception(vector, vector != VEC_UD, 0);
	return false;
}

static bool read_operand(struct percpu *cpu, void *buf, u32 len)
{
	u64 la;

	return memory_operand(cpu, len, &la) && !l1_read(la, buf, len);
}

static bool write_operand(struct percpu *cpu, u64 val)
{
	u64 la;

	return memory_operand(cpu, sizeof(val), &la) && !l1_write(la, &val, sizeof(val));
}

/* The revision identifier of a region, or none that is offered: not the host's frame. */
static u32 revision_at(u64 pa)
{
	const u32 *revision = host_byte(pa);

	return revision ? READ_ONCE(*revision) : ~caps_revision();
}

/* VMXON (SDM vol. 3, VMXON). */
static void do_vmxon(struct percpu *cpu)
{
	u64 pa, cr0 = guest_cr0(), cr4 = guest_cr4();

	if (cpu->nested.vmxon) {
		vm_fail(cpu, VMERR_VMXON_IN_ROOT);
		return;
	}
	if ((vmx_caps.cr0_fixed0 & ~cr0) || (cr0 & ~vmx_caps.cr0_fixed1) ||
	    (vmx_caps.cr4_fixed0 & ~cr4) || (cr4 & ~vmx_caps.cr4_fixed1)) {
		inject_gp();
		return;
	}
	if (!read_operand(cpu, &pa, sizeof(pa)))
		return;
	if (!pa_is_frame(pa) || revision_at(pa) != caps_revision()) {
		vm_fail_invalid();
		return;
	}
	cpu->nested.vmxon = true;
	cpu->nested.vmxon_pa = pa;
	vvmcs_make_current(cpu, NULL);
	vm_succeed();
}

void nested_cpu_reset(struct percpu *cpu)
{
	vvmcs_clear_all(cpu);
	if (cpu->nested.vmxon)
		shadow_cpu_off();
	vvmcs_make_current(cpu, NULL);
	cpu->nested.in_vm = false;
	cpu->nested.vmxon = false;
}

static void do_vmxoff(struct percpu *cpu)
{
	nested_cpu_reset(cpu);
	vm_succeed();
}

bool nested_cr4_vmxe_may_clear(const struct percpu *cpu)
{
	return !cpu->nested.vmxon;
}

static void do_vmclear(struct percpu *cpu)
{
	u64 pa;

	if (!read_operand(cpu, &pa, sizeof(pa)))
		return;
	if (!pa_is_frame(pa) || !frame_host_usable(pa >> PAGE_SHIFT)) {
		vm_fail(cpu, VMERR_VMCLEAR_ADDRESS);
	} else if (pa == cpu->nested.vmxon_pa) {
		vm_fail(cpu, VMERR_VMCLEAR_VMXON);
	} else if (vvmcs_clear(cpu, pa)) {
		up_log_seldom("nested: cpu %u: VMCLEAR of %llx, active on another CPU", cpu->cpu,
			   (unsigned long long)pa);
		vm_fail(cpu, VMERR_VMCLEAR_ADDRESS);
	} else {
		vm_succeed();
	}
}

/*
 * Hardware knows no such failure, so KVM goes on as if there was none: with whatever
 * VMCS is current.  It must not be another vCPU's.
 */
static void vmptrld_failed(struct percpu *cpu, u64 pa, int err)
{
	up_log_seldom("nested: cpu %u: VMPTRLD of %llx: error %d", cpu->cpu,
		      (unsigned long long)pa, err);
	vvmcs_make_current(cpu, NULL);
	vm_fail_invalid();
}

static void load_vmcs(struct percpu *cpu, u64 pa)
{
	struct vvmcs *vv;
	int err;

	/* Bit 31 marks a shadow VMCS: not offered. */
	if (revision_at(pa) != caps_revision()) {
		vm_fail(cpu, VMERR_VMPTRLD_REVISION);
		return;
	}
	err = vvmcs_load(cpu, pa, &vv);
	if (err) {
		vmptrld_failed(cpu, pa, err);
		return;
	}
	vvmcs_make_current(cpu, vv);
	vm_succeed();
}

static void do_vmptrld(struct percpu *cpu)
{
	u64 pa;

	if (!read_operand(cpu, &pa, sizeof(pa)))
		return;
	if (!pa_is_frame(pa))
		vm_fail(cpu, VMERR_VMPTRLD_ADDRESS);
	else if (pa == cpu->nested.vmxon_pa)
		vm_fail(cpu, VMERR_VMPTRLD_VMXON);
	else if (!frame_host_usable(pa >> PAGE_SHIFT))
		vmptrld_failed(cpu, pa, -UP_EPERM);
	else
		load_vmcs(cpu, pa);
}

static void do_vmptrst(struct percpu *cpu)
{
	if (write_operand(cpu, cpu->nested.current ? cpu->nested.current->pa : NO_VMCS))
		vm_succeed();
}

/* VMREAD and VMWRITE: what they name.  Return: NULL: no current VMCS, the instruction failed */
static struct vvmcs *named_field(struct percpu *cpu, u32 *info, u64 *enc)
{
	if (!cpu->nested.current) {
		vm_fail_invalid();
		return NULL;
	}
	*info = vmread(VMCS_EXIT_INSN_INFO);
	*enc = guest_gpr(cpu, INFO_REG2(*info));
	return cpu->nested.current;
}

/* Return: the row, or -1 when there is no such field and the instruction failed */
static int row_or_fail(struct percpu *cpu, u64 enc)
{
	int row = vmcs_row(enc);

	if (row < 0)
		vm_fail(cpu, VMERR_FIELD_UNSUPPORTED);
	return row;
}

static void do_vmread(struct percpu *cpu)
{
	struct vvmcs *vv;
	u64 enc, val;
	u32 info;
	int row;

	vv = named_field(cpu, &info, &enc);
	row = vv ? row_or_fail(cpu, enc) : -1;
	if (row < 0)
		return;
	if (row_test(vv->stale, row))
		vvmcs_fetch(cpu, vv, row);
	val = vv->f[row];
	if (enc & VMCS_ENC_HIGH)
		val >>= 32;
	if (info & INFO_IS_REG)
		set_guest_gpr(cpu, INFO_REG1(info), val);
	else if (!write_operand(cpu, val))
		return;
	vm_succeed();
}

static void write_row(struct percpu *cpu, struct vvmcs *vv, u32 row, u64 enc, u64 val)
{
	bool stale = row_test(vv->stale, row);

	if (enc & VMCS_ENC_HIGH) {
		if (stale)
			vvmcs_fetch(cpu, vv, row);
		val = (u32)vv->f[row] | val << 32;
	}
	val &= row_mask[row];
	if (!stale && vv->f[row] == val)
		return;
	vv->f[row] = val;
	row_clear(vv->stale, row);
	row_set(vv->dirty, row);
}

static void do_vmwrite(struct percpu *cpu)
{
	struct vvmcs *vv;
	u64 enc, val;
	u32 info;
	int row;

	vv = named_field(cpu, &info, &enc);
	if (!vv)
		return;
	if (info & INFO_IS_REG)
		val = guest_gpr(cpu, INFO_REG1(info));
	else if (!read_operand(cpu, &val, sizeof(val)))
		return;
	row = row_or_fail(cpu, enc);
	if (row < 0)
		return;
	if (vmcs_field[row].class == CLASS_EXIT) {
		vm_fail(cpu, VMERR_FIELD_READ_ONLY);
		return;
	}
	write_row(cpu, vv, row, enc, val);
	vm_succeed();
}

/* VMLAUNCH, VMRESUME: the checks before those of the VMCS (section 27.1). */
static void do_enter(struct percpu *cpu)
{
	bool launch = (u32)vmread(VMCS_EXIT_REASON) == EXIT_REASON_VMLAUNCH;
	struct vvmcs *vv = cpu->nested.current;

	if (!vv)
		vm_fail_invalid();
	else if (vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_MOV_SS)
		vm_fail(cpu, VMERR_ENTRY_MOV_SS);
	else if (launch && vv->launched)
		vm_fail(cpu, VMERR_LAUNCH_NOT_CLEAR);
	else if (!launch && !vv->launched)
		vm_fail(cpu, VMERR_RESUME_NOT_LAUNCHED);
	else
		nested_enter(cpu, vv, launch);
}

/* VMREAD and VMWRITE.  Return: false: not these, or not that simply */
static bool access_fast(struct percpu *cpu, struct vvmcs *vv, u32 reason)
{
	u32 info = vmread(VMCS_EXIT_INSN_INFO), reg = INFO_REG1(info);
	u64 enc = cpu->gpr[INFO_REG2(info)];
	u32 row;

	if (!(info & INFO_IS_REG) || reg == RSP || INFO_REG2(info) == RSP ||
	    enc & ~(2ULL * VMCS_LOOKUP_SIZE - 2) || !vmcs_lookup_row1(enc))
		return false;
	row = vmcs_lookup_row1(enc) - 1;
	if (reason == EXIT_REASON_VMREAD) {
		if (row_test(vv->stale, row))
			vvmcs_fetch(cpu, vv, row);
		cpu->gpr[reg] = vv->f[row];
	} else {
		if (vmcs_field[row].class == CLASS_EXIT)
			return false;
		write_row(cpu, vv, row, enc, cpu->gpr[reg]);
	}
	vm_succeed();
	return true;
}

/*
 * VMREAD, VMWRITE and VMRESUME are the hot path: KVM executes them for each exit of a
 * VM.  The register forms, when they succeed, take one function without a loop,
 * a lock or a page walk; everything else, upper halves too, goes the long way.
 */
bool nested_insn_fast(struct percpu *cpu, u32 reason)
{
	struct vvmcs *vv = cpu->nested.current;

	if (!vv || guest_cpl())
		return false;
	if (reason == EXIT_REASON_VMRESUME) {
		if (!guest_64bit())
			return false;
		do_enter(cpu);
	} else if (!access_fast(cpu, vv, reason)) {
		return false;
	}
	cpu->exits_host[reason]++;
	return true;
}

static u64 type_operand(struct percpu *cpu)
{
	return guest_gpr(cpu, INFO_REG2(vmread(VMCS_EXIT_INSN_INFO)));
}

/* Types of INVEPT and INVVPID: where IA32_VMX_EPT_VPID_CAP has type 0 (SDM vol. 3, A.10). */
#define INVEPT_OFFERED	24
#define INVVPID_OFFERED	40

static bool offered(u32 first_bit, u64 type)
{
	return type <= 3 && (vmx_caps.ept_vpid >> (first_bit + type) & 1);
}

/* INVEPT (SDM vol. 3, INVEPT): type 1 one table, type 2 all. */
static void do_invept(struct percpu *cpu)
{
	u64 type = type_operand(cpu);
	struct inv_desc d;

	if (!offered(INVEPT_OFFERED, type)) {
		vm_fail(cpu, VMERR_INVALID_OPERAND);
		return;
	}
	if (!read_operand(cpu, &d, sizeof(d)))
		return;
	if (type == INVEPT_SINGLE && !vmcs12_eptp_ok(d.a)) {
		vm_fail(cpu, VMERR_INVALID_OPERAND);
		return;
	}
	shadow_invept(type, d.a);
	vm_succeed();
}

static void invvpid_address(u16 hw_vpid, u64 gla)
{
	invvpid(INVVPID_ADDRESS, hw_vpid, gla);
}

/* Type 3 keeps global translations: dropping them too is allowed, and one case fewer. */
static void invvpid_context(u16 hw_vpid, u64 unused)
{
	invvpid(INVVPID_SINGLE, hw_vpid, 0);
}

/*
 * INVVPID (SDM vol. 3, INVVPID); L1's numbers stand for the layer's own.  The width of an
 * address is what the processor supports: a VM may have 5-level paging when L1 has not.
 */
static void do_invvpid(struct percpu *cpu)
{
	bool la57 = vmx_caps.cr4_fixed1 & CR4_LA57;
	u64 type = type_operand(cpu);
	struct inv_desc d;

	if (!offered(INVVPID_OFFERED, type)) {
		vm_fail(cpu, VMERR_INVALID_OPERAND);
		return;
	}
	if (!read_operand(cpu, &d, sizeof(d)))
		return;
	if (d.a >> 16 || (type != INVVPID_ALL && !d.a) ||
	    (type == INVVPID_ADDRESS && !la_canonical(d.b, la57))) {
		vm_fail(cpu, VMERR_INVALID_OPERAND);
		return;
	}
	if (type == INVVPID_ALL)
		invvpid(INVVPID_ALL, 0, 0);
	else
		vvmcs_for_vpid(cpu, d.a, type == INVVPID_ADDRESS ? invvpid_address :
								   invvpid_context, d.b);
	vm_succeed();
}

/* Nobody's but the layer's host side has a use for it: no dual-monitor treatment of SMM. */
static void do_vmcall(struct percpu *cpu)
{
	vm_fail(cpu, VMERR_VMCALL_IN_ROOT);
}

static void (*const handler[])(struct percpu *cpu) = {
	[EXIT_REASON_VMCALL] = do_vmcall,
	[EXIT_REASON_VMCLEAR] = do_vmclear,
	[EXIT_REASON_VMLAUNCH] = do_enter,
	[EXIT_REASON_VMPTRLD] = do_vmptrld,
	[EXIT_REASON_VMPTRST] = do_vmptrst,
	[EXIT_REASON_VMREAD] = do_vmread,
	[EXIT_REASON_VMRESUME] = do_enter,
	[EXIT_REASON_VMWRITE] = do_vmwrite,
	[EXIT_REASON_VMXOFF] = do_vmxoff,
	[EXIT_REASON_VMXON] = do_vmxon,
	[EXIT_REASON_INVEPT] = do_invept,
	[EXIT_REASON_INVVPID] = do_invvpid,
};

/* Outside 64-bit mode there is no VMX operation to be in, and none is offered: #UD. */
void nested_insn(struct percpu *cpu, u32 reason)
{
	if (reason >= ARRAY_SIZE(handler) || !handler[reason] ||
	    (!cpu->nested.vmxon && reason != EXIT_REASON_VMXON) ||
	    (reason == EXIT_REASON_VMXON && !(guest_cr4() & CR4_VMXE)) || !guest_64bit()) {
		inject_ud();
		return;
	}
	if (guest_cpl()) {
		inject_gp();
		return;
	}
	handler[reason](cpu);
}
