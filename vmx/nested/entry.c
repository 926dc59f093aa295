// SPDX-License-Identifier: GPL-2.0
/*
 * VM entry of L2: VMCS12's wishes and the layer's needs become VMCS02 (SDM vol. 3,
 * chapter 27).  Only what L1 changed since the last entry is copied.
 */
#include "vmx/nested/entry.h"
#include "vmx/nested/nested.h"
#include "vmx/nested/result.h"
#include "vmx/abi/errno.h"
#include "vmx/base/asm.h"
#include "vmx/base/log.h"
#include "vmx/base/x86.h"
#include "vmx/cpu/root_state.h"
#include "vmx/intercept/caps.h"
#include "vmx/intercept/port.h"
#include "vmx/vm/protect.h"
#include "vmx/vmcs/check.h"
#include "vmx/vmcs/msrbitmap.h"
#include "vmx/vmcs/msrlist.h"
#include "vmx/vmcs/reflect.h"
#include "vmx/vmcs/shadow_vmcs.h"
#include "ept/shadow.h"
#include "ept/violation.h"

static void copy_dirty_rows(const struct vvmcs *vv, const u64 *which)
{
	for (u32 w = 0; w < VMCS_ROW_WORDS; w++) {
		u64 rows = vv->dirty[w] & which[w];

		for (; rows; rows &= rows - 1) {
			u32 row = w * 64 + (u32)__builtin_ctzll(rows);

			vmwrite(vmcs_field[row].encoding, vv->f[row]);
		}
	}
}

/* Execution controls.  The layer adds EPT, VPIDs and bitmaps; it never takes an exit away. */
static void sync_execution_controls(const struct vvmcs *vv)
{
	u64 cpu_ctls = vv->f[ROW_CPU_CTLS], cpu2 = 0;

	if (cpu_ctls & CPU_SECONDARY_CTLS)
		cpu2 = vv->f[ROW_CPU2_CTLS];
	/* Without I/O exiting of L1's own, the floor alone applies. */
	if (!(cpu_ctls & CPU_UNCOND_IO_EXITING)) {
		vmwrite(VMCS_IO_BITMAP_A, io_bitmap(0));
		vmwrite(VMCS_IO_BITMAP_B, io_bitmap(1));
		cpu_ctls |= CPU_IO_BITMAPS;
	}
	vmwrite(VMCS_PIN_CTLS, vv->f[ROW_PIN_CTLS]);
	vmwrite(VMCS_CPU_CTLS, cpu_ctls | CPU_SECONDARY_CTLS);
	vmwrite(VMCS_CPU2_CTLS, cpu2 | CPU2_EPT | CPU2_VPID);
	vmwrite(VMCS_VPID, vv->vpid);
	vmwrite(VMCS_MSR_BITMAP, vv->msr_bitmap_pa);
	if (cpu_ctls & CPU_TPR_SHADOW)
		vmwrite(VMCS_VIRTUAL_APIC_ADDR, vv->f[ROW_VIRTUAL_APIC_ADDR]);
	if (cpu2 & CPU2_APIC_ACCESSES)
		vmwrite(VMCS_APIC_ACCESS_ADDR, vv->f[ROW_APIC_ACCESS_ADDR]);
}

/*
 * Exit and entry controls.  EFER, PAT and, where hardware can, PERF_GLOBAL_CTRL are
 * always switched, so that the layer's own and L2's survive an exit that L1 never sees;
 * the timer is always saved for the same reason.
 */
static void sync_transition_controls(const struct vvmcs *vv)
{
	u64 exit = vv->f[ROW_EXIT_CTLS], entry = vv->f[ROW_ENTRY_CTLS];

	exit |= EXIT_SAVE_EFER | EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT;
	entry |= ENTRY_LOAD_EFER | ENTRY_LOAD_PAT;
	if (caps_perf_global()) {
		exit |= EXIT_LOAD_PERF_GLOBAL;
		entry |= ENTRY_LOAD_PERF_GLOBAL;
	}
	if (vv->f[ROW_PIN_CTLS] & PIN_PREEMPTION_TIMER)
		exit |= EXIT_SAVE_PREEMPTION;
	vmwrite(VMCS_EXIT_CTLS, exit);
	vmwrite(VMCS_ENTRY_CTLS, entry);
	vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
}

static void sync_controls(struct percpu *cpu, struct vvmcs *vv)
{
	if (vv->host_cpu != cpu->cpu) {
		root_state_init(cpu);
		vv->host_cpu = cpu->cpu;
	}
	copy_dirty_rows(vv, vv->vcpu ? rows_copied_bound : rows_copied);
	if (rows_meet(vv->dirty, rows_merged)) {
		sync_execution_controls(vv);
		sync_transition_controls(vv);
		vv->remerge |= row_test(vv->dirty, ROW_MSR_BITMAP);
	}
	if (vv->f[ROW_CPU_CTLS] & CPU_MSR_BITMAPS)
		msr_bitmap_sync(vv);
	if (vv->f[ROW_PIN_CTLS] & PIN_PREEMPTION_TIMER)
		vmwrite(VMCS_PREEMPTION_TIMER, vv->f[ROW_PREEMPTION_TIMER]);
	/*
	 * Without a VPID of L1's, every entry starts with no translation (section 29.4.3.3);
	 * of another VPID there may be none, and hardware's stays the same.
	 */
	if (vv->flush_vpid || row_test(vv->dirty, ROW_VPID) ||
	    !(vv->f[ROW_CPU2_CTLS] & CPU2_VPID)) {
		invvpid(INVVPID_SINGLE, vv->vpid, 0);
		vv->flush_vpid = false;
	}
}

/*
 * What L1 does not ask to load L2 keeps from L1 (section 27.3.2.1): EFER but for
 * its two long-mode bits, PAT and PERF_GLOBAL_CTRL.
 */
static void sync_guest_state(const struct vvmcs *vv, const struct passed_msrs *l1)
{
	u64 entry = vv->f[ROW_ENTRY_CTLS];
	u64 efer = vv->f[ROW_GUEST_EFER];

	if (!(entry & ENTRY_LOAD_EFER)) {
		efer = l1->efer & ~(EFER_LME | EFER_LMA);
		if (entry & ENTRY_IA32E)
			efer |= EFER_LME | EFER_LMA;
	}
	vmwrite(VMCS_GUEST_EFER, efer);
	vmwrite(VMCS_GUEST_PAT, entry & ENTRY_LOAD_PAT ? vv->f[ROW_GUEST_PAT] : l1->pat);
	if (caps_perf_global())
		vmwrite(VMCS_GUEST_PERF_GLOBAL, entry & ENTRY_LOAD_PERF_GLOBAL ?
			vv->f[ROW_GUEST_PERF_GLOBAL] : l1->perf_global);
}

/* Return: NULL, or the name of the failed check with its VM-instruction error. */
static const char *check(const struct vvmcs *vv, u32 *error)
{
	const char *failed = NULL;

	*error = VMERR_ENTRY_CONTROLS;
	if (rows_meet(vv->dirty, rows_ctrl))
		failed = vmcs12_check_controls(vv);
	if (!failed)
		failed = vmcs12_check_addresses(vv);
	if (failed)
		return failed;
	*error = VMERR_ENTRY_HOST_STATE;
	return rows_meet(vv->dirty, rows_host) ? vmcs12_check_host_state(vv) : NULL;
}

static void refuse(struct percpu *cpu, u32 error, const char *why)
{
	up_log_seldom("nested: CPU %u: VM entry refused, error %u: %s", cpu->cpu, error, why);
	vm_fail(cpu, error);
}

/* All that may still fail with L1 none the wiser; VMCS01 is current. */
static bool prepare(struct percpu *cpu, struct vvmcs *vv)
{
	const char *failed;
	u32 error;

	failed = check(vv, &error);
	if (failed) {
		refuse(cpu, error, failed);
		return false;
	}
	if (!vv->vcpu) {
		vv->ept = shadow_get(vv->f[ROW_EPTP]);
		if (!vv->ept) {
			refuse(cpu, VMERR_ENTRY_CONTROLS, "no frame for the EPT");
			return false;
		}
	}
	return true;
}

void nested_prepare_tables(struct vvmcs *vv)
{
	if (vv->ept)
		vm_ept_prepare(vv->ept);
}

/* Unprotected VMs.  Return: false when the entry has failed and L1 runs on. */
static bool enter_ordinary(struct percpu *cpu, struct vvmcs *vv,
			   const struct passed_msrs *l1)
{
	u32 count, bad;
	u64 list;

	vmwrite(VMCS_EPTP, vm_ept_eptp(vv->ept));
	sync_guest_state(vv, l1);
	if (!vv->f[ROW_ENTRY_MSR_LOAD_COUNT])
		return true;
	bad = msr_list_arm(vv, &list, &count);
	if (bad) {
		nested_switch_to_l1(cpu);
		up_log_seldom("nested: CPU %u: VM-entry MSR-load list: entry %u", cpu->cpu, bad);
		nested_reflect_entry_failure(cpu, vv, EXIT_REASON_MSR_LOAD, bad);
		return false;
	}
	vmwrite(VMCS_ENTRY_MSR_LOAD_ADDR, list);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, count);
	vv->msr_list_loaded = count;
	return true;
}

/* A protected vCPU's guest state never comes from VMCS12: vmx/vm/ has the real one. */
static bool enter_protected(struct percpu *cpu, struct vvmcs *vv)
{
	if (!protect_entry(cpu, vv))
		return true;
	nested_switch_to_l1(cpu);
	refuse(cpu, VMERR_ENTRY_CONTROLS, "protected vCPU may not run");
	return false;
}

void nested_enter(struct percpu *cpu, struct vvmcs *vv, bool launch)
{
	struct passed_msrs l1 = passed_msrs();
	const char *failed;
	u64 qual;

	if (shadow_vmcs_take(vv))
		vmptrld(cpu->vmcs01_pa);
	if (!prepare(cpu, vv))
		return;
	failed = vmcs12_check_guest_state(vv, &qual);
	if (failed) {
		up_log_seldom("nested: CPU %u: VM entry fails: %s", cpu->cpu, failed);
		nested_reflect_entry_failure(cpu, vv, EXIT_REASON_GUEST_STATE, qual);
		return;
	}
	nested_switch_to_l2(cpu, vv);
	sync_controls(cpu, vv);
	if (!(vv->vcpu ? enter_protected(cpu, vv) : enter_ordinary(cpu, vv, &l1)))
		return;
	nested_prepare_tables(vv);
	rows_zero(vv->dirty);
	vv->launching = launch;
	vv->launched = true;
	cpu->resume_launch = !vv->hw_launched;
}

void nested_entry_failed(struct percpu *cpu, u32 error)
{
	struct vvmcs *vv = cpu->nested.current;

	if (vv->vcpu)
		protect_entry_failed(cpu, vv);
	nested_switch_to_l1(cpu);
	if (vv->launching)
		vv->launched = false;
	/* VMCS01 still has the exit information of L1's VMLAUNCH or VMRESUME. */
	refuse(cpu, error == VMERR_ENTRY_HOST_STATE ? error : VMERR_ENTRY_CONTROLS,
	       "by hardware");
}
