/* SPDX-License-Identifier: GPL-2.0 */
/* The page, carried inside the program: no path to get wrong. */
	.section .rodata
	.macro	file symbol name
	.globl	ui_\symbol
ui_\symbol:
	.incbin	"\name"
	.byte	0
	.endm

	file	page_html "page.html"
	file	page_css "page.css"
	file	page_js "page.js"
	.section .note.GNU-stack,"",@progbits
