/* SPDX-License-Identifier: GPL-2.0 */
/* Offsets into struct percpu for assembly; checked against C in vmx/launch/launch.c. */
#ifndef VMX_OFFSETS_H
#define VMX_OFFSETS_H

#define PERCPU_SELF		0
#define PERCPU_GPR(n)		(8 + 8 * (n))
#define PERCPU_RESUME_LAUNCH	136
#define PERCPU_NMI_PENDING	140
#define PERCPU_LAUNCH_REGS	144	/* rbx rbp r12 r13 r14 r15 rflags rsp */

/* Root's own selectors: the same numbers as Linux's, see vmx/launch/launch.c. */
#define ROOT_CS			0x10
#define ROOT_DS			0x18
#define ROOT_TR			0x40

#endif /* VMX_OFFSETS_H */
