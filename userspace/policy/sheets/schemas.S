/* SPDX-License-Identifier: GPL-2.0-only */
/* The XSDs of the sheets, carried inside the program: no path to get wrong. */
	.section .rodata
	.macro	xsd name
	.globl	pol_xsd_\name, pol_xsd_\name\()_end
pol_xsd_\name:
	.incbin	"\name\().xsd"
pol_xsd_\name\()_end:
	.endm

	xsd	common
	xsd	constraints
	xsd	users
	xsd	roles
	xsd	assignments
	xsd	permissions
	xsd	resources
	xsd	slas
	.section .note.GNU-stack,"",@progbits
