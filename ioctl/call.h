/* SPDX-License-Identifier: GPL-2.0 */
/* Calling the layer from the demoted host. */
#ifndef IOCTL_CALL_H
#define IOCTL_CALL_H

#include <linux/errno.h>
#include <linux/io.h>
#include <linux/types.h>
#include "vmx/abi/call.h"

#ifdef UP_KUNIT	/* the layer is fake_kunit.c */
/* As below. */
long up_vmcall(u64 op, u64 a, u64 b, u64 c, u64 *r1, u64 *r2);
#else
#include <asm/asm.h>

/**
 * up_vmcall() - one call of the layer, on this CPU
 * @op: enum up_call
 * @a: first argument, in rbx; @b: second, in rcx; @c: third, in rdx
 * @r1: where to put the first result (rbx), or NULL
 * @r2: where to put the second result (rcx), or NULL
 *
 * Any context.  Only ring 0 of a demoted CPU is answered; the layer copies the
 * arguments once.  A call that fails before it does anything gives zero results.
 *
 * Return: 0 or a negative error number; -ENODEV when there is no layer beneath
 * this CPU (VMCALL raises #UD, caught here, or fails).
 */
static inline long up_vmcall(u64 op, u64 a, u64 b, u64 c, u64 *r1, u64 *r2)
{
	long ret = -ENODEV;
	u64 rax = op;

	asm volatile("1: vmcall\n"
		     "   mov %%rax, %[ret]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+a"(rax), "+b"(a), "+c"(b), "+d"(c), [ret] "+r"(ret)
		     : "S"(0UL)
		     : "cc", "memory");
	/*
	 * The layer's results are 0 or negative.  A CPU that is not demoted but in VMX
	 * operation itself (KVM was there first) neither answers nor faults: VMfail leaves
	 * the operation in rax (SDM vol. 3, 31.3, VMCALL).
	 */
	if (ret > 0)
		ret = -ENODEV;
	if (r1)
		*r1 = ret == -ENODEV ? 0 : a;
	if (r2)
		*r2 = ret == -ENODEV ? 0 : b;
	return ret;
}
#endif

/** up_page_pfn() - frame number of a page of the direct map, as calls take it */
static inline u64 up_page_pfn(const void *page)
{
	return virt_to_phys((void *)page) >> PAGE_SHIFT;
}

/** up_flush_all() - make every CPU drop its stale translations.  May sleep. */
void up_flush_all(void);

/**
 * struct up_retry - a series of calls that end in -EAGAIN until all is done
 * @what: what is being done, for the log
 * @stop: true: somebody wants the series to end
 * @killable: a fatal signal ends the series
 *
 * The rest is up_retry()'s own; zero it.
 */
struct up_retry {
	const char *what;
	const bool *stop;
	bool killable;
	unsigned int idle;
	unsigned int grown;
	unsigned long since;
};

/**
 * up_retry() - what to do about a call's result
 * @r: the series
 * @ret: the result
 * @progress: the call achieved something, so nothing needs to be waited for
 *
 * After -EAGAIN it lets others run; if nothing was achieved it also makes every
 * CPU flush, since that is what the layer then waits for.  After -ENOMEM it
 * grows the layer's pool.  May sleep.
 *
 * Return: 0: call again; otherwise the error number to give up with, among them
 * -EINTR (fatal signal) and -ESTALE (@r->stop).
 */
int up_retry(struct up_retry *r, long ret, bool progress);

/**
 * up_pool_grow() - give the layer more frames of its own
 * @frames: how many
 * Return: 0, -ENOMEM when Linux has none to give, or the layer's error.
 */
int up_pool_grow(unsigned int frames);

#endif /* IOCTL_CALL_H */
