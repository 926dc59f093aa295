/* SPDX-License-Identifier: GPL-2.0 */
/* Short pieces of code to step through: tests/step/cases.S. */
#ifndef TESTS_STEP_CASES_H
#define TESTS_STEP_CASES_H

#ifndef __KERNEL__
#include <stdint.h>
typedef uint64_t u64;
#endif

#define STEP_VMX_PAGES	2	/* VMXON region and VMCS */

struct step_case {
	const char *name;
	const char *start, *end;	/* of the code; at @end is its RET */
};

extern const struct step_case step_cases[], step_cases_end[];

/* Physical addresses of the kernel's pages for VMX, revision id written. */
extern u64 step_vmx_pa[STEP_VMX_PAGES];

/* Runs @code, with RFLAGS.TF set if @flags has it.  Return: RAX as the code left it. */
u64 step_run(const char *code, u64 flags);

#ifndef __KERNEL__
extern char step_guard[];	/* two pages: the second is to be out of reach */

/* Goes to 32-bit code; comes back by a signal handler, which goes on at step_wrap_back. */
void step_wrap(u64 code);
extern const char step_wrap_back[];
#endif

#endif /* TESTS_STEP_CASES_H */
