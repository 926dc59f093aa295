// SPDX-License-Identifier: GPL-2.0
/* Reading KVM's EPT: proposals, from memory that the host writes at any time. */

#include "ept/walk.h"
#include "ept/owner.h"
#include "ept/table.h"
#include "vmx/base/asm.h"
#include "vmx/abi/errno.h"

/* Would hardware call this present entry misconfigured (SDM vol. 3, 29.3.3.1)? */
static inline bool misconfigured(u64 e, u32 level)
{
	u32 type = e >> 3 & 7;

	if ((e & EPT_ADDR & ~phys_mask()) || (e & (EPT_R | EPT_W)) == EPT_W ||
	    ((e & EPT_RWX) == EPT_X && !(ept_caps & EPT_CAP_EXEC_ONLY)))
		return true;
	if (level > 1 && !(e & EPT_LARGE))
		return e & MASK(6, 3);
	if (level == 4 || (level == 3 && !(ept_caps & EPT_CAP_1G)))
		return true;
	return e & EPT_ADDR & (EPT_SPAN(level) - 1) || type == 2 || type == 3 || type == 7;
}

bool ept_entry_misconfigured(u64 e, u32 level)
{
	return misconfigured(e, level);
}

int ept_walk_below(u64 e, u32 access, u32 level, u64 gpa, struct ept_walk *w)
{
	u32 above = access;
	bool ends, bad = false;
	const u64 *table;
	u64 pa;

	for (;; level--) {
		pa = e & EPT_ADDR;
		table = host_byte(pa);
		if (!table)
			return -UP_EPERM;
		e = READ_ONCE(table[ept_index(gpa, level)]);
		above = access;
		access &= e;
		ends = !(e & EPT_RWX) || gpa >> EPT_SHIFT(EPT_LEVELS + 1);
		bad = !ends && misconfigured(e, level);
		if (ends || bad || level == 1 || e & EPT_LARGE)
			break;
	}
	w->hpa = ends || bad ? 0 : (e & EPT_ADDR) | (gpa & (EPT_SPAN(level) - 1) & PAGE_MASK);
	w->entry = e;
	w->table = pa;
	w->level = level;
	w->access = ends ? 0 : access;
	w->above = above;
	w->misconfigured = bad;
	return 0;
}
