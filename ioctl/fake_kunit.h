/* SPDX-License-Identifier: GPL-2.0 */
/* A layer and a KVM made of C, for KUnit. */
#ifndef IOCTL_FAKE_KUNIT_H
#define IOCTL_FAKE_KUNIT_H

#include <linux/types.h>
#include "layout.h"
#include "vmx/abi/call.h"

#define FAKE_FRAMES	64

/* One VM; every call but FLUSH counts, and the fail_at-th one fails. */
struct fake_layer {
	unsigned int calls;
	unsigned int fail_at;
	long fail_with;
	unsigned int take;	/* entries of a list that one call takes; 0: all */
	unsigned int pool;	/* frames donated to the pool */
	bool need_pool;		/* the next donation fails until the pool grows */
	bool exists, killed, flushed;
	unsigned int vcpus;
	unsigned int measured;
	unsigned int nr;
	struct up_donation frames[FAKE_FRAMES];
};

struct kvm {
	int refs;
	struct mm_struct *mm;
	unsigned int nr;
	struct up_slot slots[8];
	int slots_error;
};

extern struct fake_layer fake_layer;
extern struct kvm fake_kvm;

#endif /* IOCTL_FAKE_KUNIT_H */
