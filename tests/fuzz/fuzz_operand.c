// SPDX-License-Identifier: GPL-2.0
/* Operand decoding: any instruction information gives a fault or an address within its rules. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vmx/host/host.h"
#include "vmx/intercept/caps.h"
#include "vmx/cpu/operand.h"

struct nested_caps nested_caps;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct {
		u64 disp, base, index, seg_base;
		u32 info, seg_limit, seg_ar;
		u8 flags, len;
	} in = { 0 };
	struct operand op;
	u64 la = 0;
	u32 vector;

	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	op = (struct operand){
		.info = in.info, .disp = in.disp, .base = in.base, .index = in.index,
		.long_mode = in.flags & 1, .la57 = in.flags & 2, .write = in.flags & 4,
		.len = in.len % 17, .seg_base = in.seg_base, .seg_limit = in.seg_limit,
		.seg_ar = in.seg_ar,
	};
	vector = operand_linear(&op, &la);
	assert(vector == 0 || vector == VEC_UD || vector == 12 || vector == VEC_GP);
	if (vector)
		return 0;
	assert(op.len && INFO_ADDR_SIZE(op.info) <= 2 && INFO_SEGMENT(op.info) <= SEG_GS);
	if (op.long_mode)
		assert(la_canonical(la, op.la57) && la_canonical(la + op.len - 1, op.la57));
	else
		assert(la <= 0xffffffff && !(op.seg_ar & BIT(16)));
	return 0;
}
