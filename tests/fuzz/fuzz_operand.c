// SPDX-License-Identifier: GPL-2.0
/* Operand decoding: any instruction information gives a fault or an address within its rules. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vmx/cpu/event.h"
#include "vmx/cpu/operand.h"
#include "vmx/cpu/paging.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct {
		u64 disp, base, index, seg_base;
		u32 info;
		u8 flags, len;
	} in = { 0 };
	struct operand op;
	u64 la = 0;
	u32 vector;

	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	op = (struct operand){
		.info = in.info, .disp = in.disp, .base = in.base, .index = in.index,
		.la57 = in.flags & 1, .len = in.len % 17, .seg_base = in.seg_base,
	};
	vector = operand_linear(&op, &la);
	assert(vector == 0 || vector == VEC_UD || vector == 12 || vector == VEC_GP);
	if (vector)
		return 0;
	assert(op.len && INFO_ADDR_SIZE(op.info) <= 2 && INFO_SEGMENT(op.info) <= SEG_GS);
	assert(la_canonical(la, op.la57) && la_canonical(la + op.len - 1, op.la57));
	return 0;
}
