// SPDX-License-Identifier: GPL-2.0
/*
 * The host's driver reaches for registers that the layer keeps: its MOV is completed here,
 * by whoever stands in for the device (ept/device.h).
 *
 * The bytes that are decoded need not be those that the processor has executed, since
 * another CPU of the host's can change them.  That gives the host no more than what it can
 * do anyway: any access of its own choice to these registers.
 */
#include "vmx/host/host.h"
#include "vmx/base/log.h"
#include "vmx/cpu/event.h"
#include "vmx/cpu/mov.h"
#include "vmx/nested/l1mem.h"
#include "ept/device.h"
#include "ept/table.h"

/* Return: 1; 0: it is another instruction; negative: as l1_read() */
static int fetch(struct mov *m)
{
	u64 rip = vmread(VMCS_GUEST_RIP), page = PAGE_SIZE - (rip & (PAGE_SIZE - 1));
	u32 n = page < INSN_MAX ? (u32)page : INSN_MAX;
	u8 insn[INSN_MAX];
	int err;

	err = l1_read(rip, insn, n);
	if (err || mov_decode(insn, n, m))
		return err ? err : 1;
	if (n == INSN_MAX)
		return 0;
	/* It may go on in the next page. */
	err = l1_read(rip + n, insn + n, INSN_MAX - n);
	return err ? err : mov_decode(insn, INSN_MAX, m);
}

static void load(struct percpu *cpu, const struct mov *m, u64 val)
{
	u64 mask = MASK(8 * m->size - 1, 0);

	/* The upper half is cleared by 32-bit operations, and by no smaller ones. */
	set_guest_gpr(cpu, m->reg, (m->size == 4 ? 0 : guest_gpr(cpu, m->reg) & ~mask) |
		      (val & mask));
}

bool host_device(struct percpu *cpu, u64 gpa, u64 qual)
{
	struct mov m = { 0 };
	int found = 0;

	/* No walk of page tables, no delivery of an event, no fetch. */
	if (guest_64bit() && !guest_cpl() && qual & EPT_VIOL_GLA_TRANSLATED &&
	    !(qual & EPT_VIOL_EXEC) && !(vmread(VMCS_IDT_VECTORING_INFO) & INTR_VALID))
		found = fetch(&m);
	if (found < 0)
		return false;
	if (!found || !IS_ALIGNED(gpa, m.size) || m.store != !!(qual & EPT_VIOL_WRITE)) {
		up_log_seldom("denied: host access to the register at %lx, qualification %lx, RIP %lx",
			      gpa, qual, vmread(VMCS_GUEST_RIP));
		note_denied();
		inject_gp();
		return true;
	}
	if (!m.store)
		load(cpu, &m, device_read(gpa, m.size));
	else if (!device_write(gpa, m.size, guest_gpr(cpu, m.reg) & MASK(8 * m.size - 1, 0)))
		return false;
	retire(m.len, 0, 0);
	return true;
}
