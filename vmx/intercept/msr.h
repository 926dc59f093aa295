/* SPDX-License-Identifier: GPL-2.0 */
/* MSRs that the layer mediates: the table of msrs.h, and what follows from it. */
#ifndef VMX_MSR_H
#define VMX_MSR_H

#include "vmx/base/types.h"

enum msr_access { ACCESS_NO, ACCESS_R, ACCESS_W, ACCESS_RW };
enum msr_guest { GUEST_KVM, GUEST_READ, GUEST_FIELD, GUEST_SWITCHED, GUEST_OPEN, GUEST_QUIET,
		 GUEST_LAYER };

/* What becomes of a value. */
enum msr_verdict { MSR_TAKEN, MSR_REFUSED, MSR_IGNORED };

#define MSR_LIST_NO		0
#define MSR_LIST_REGISTER	1

struct msr_row {
	u32 first, last;
	u8 host;	/* enum msr_access: exits of the demoted host */
	u8 vm;		/* enum msr_access: exits that every VM must take */
	u8 guest;	/* enum msr_guest */
	u32 list;	/* MSR_LIST_* or a field */
	enum msr_verdict (*check)(u32 msr, u64 val);
};

/** msr_rows[], msr_nrows - the table of msrs.h, ascending */
extern const struct msr_row msr_rows[];
extern const u32 msr_nrows;

/** msr_row() - the row of an MSR, or NULL */
const struct msr_row *msr_row(u32 msr);

/** msr_field() - where VMCS01 and VMCS02 keep a row's MSR, or 0: the register does */
u32 msr_field(const struct msr_row *r);

/** msr_init() - build the demoted host's MSR bitmap.  Launch, first CPU. */
int msr_init(void);

/** msr_bitmap_host() - its physical address, for VMCS01 */
u64 msr_bitmap_host(void);

/** msr_bitmap_floor() - physical address of the bitmap with every VM's "vm" column */
u64 msr_bitmap_floor(void);

/** msr_vm_must_intercept() - true if no VM may touch @msr without an exit */
bool msr_vm_must_intercept(u32 msr, bool write);

/**
 * host_msr_read(), host_msr_write() - the demoted host's access, as hardware would
 * have done it but for what the layer keeps
 * Return: 0, or a negative UP_E*: inject #GP
 */
int host_msr_read(u32 msr, u64 *val);
int host_msr_write(u32 msr, u64 val);

#endif /* VMX_MSR_H */
