/* SPDX-License-Identifier: GPL-2.0 */
/* The root image, as built: its bytes are the measurement. */
	.section .rodata, "a"
	.globl	up_blob, up_blob_end
	.balign	4096
up_blob:
	.incbin	ROOT_BIN
up_blob_end:
	.section .note.GNU-stack, "", @progbits
