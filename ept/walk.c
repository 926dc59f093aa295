// SPDX-License-Identifier: GPL-2.0
/* Reading KVM's EPT: proposals, from memory that the host writes at any time. */

#include "ept/walk.h"
#include "ept/owner.h"
#include "ept/table.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"

/* Would hardware call this present entry misconfigured (SDM vol. 3, 29.3.3.1)? */
bool ept_entry_misconfigured(u64 e, u32 level)
{
	u64 reserved = EPT_ADDR & ~phys_mask();
	u32 type = e >> 3 & 7;

	if ((e & (EPT_R | EPT_W)) == EPT_W ||
	    ((e & EPT_RWX) == EPT_X && !(ept_caps & EPT_CAP_EXEC_ONLY)))
		return true;
	if (level == 4)
		return e & (reserved | MASK(7, 3));
	if (level > 1 && !(e & EPT_LARGE))
		return e & (reserved | MASK(6, 3));
	if (level == 3 && !(ept_caps & EPT_CAP_1G))
		return true;
	if (level > 1)
		reserved |= EPT_ADDR & (EPT_SPAN(level) - 1);
	return e & reserved || type == 2 || type == 3 || type == 7;
}

int ept_walk(u64 eptp12, u64 gpa, struct ept_walk *w)
{
	const u64 *table;
	u64 e;

	w->table = eptp12 & EPT_ADDR;
	w->access = EPT_RWX;
	w->misconfigured = false;
	w->hpa = 0;
	for (w->level = EPT_LEVELS; ; w->level--) {
		table = host_byte(w->table);
		if (!table)
			return -UP_EPERM;
		e = READ_ONCE(table[ept_index(gpa, w->level)]);
		w->entry = e;
		w->above = w->access;
		w->access &= e;
		if (!(e & EPT_RWX) || gpa >> EPT_SHIFT(EPT_LEVELS + 1)) {
			w->access = 0;
			return 0;
		}
		w->misconfigured = ept_entry_misconfigured(e, w->level);
		if (w->misconfigured)
			return 0;
		if (w->level == 1 || e & EPT_LARGE)
			break;
		w->table = e & EPT_ADDR;
	}
	w->hpa = (e & EPT_ADDR) | (gpa & (EPT_SPAN(w->level) - 1) & PAGE_MASK);
	return 0;
}
