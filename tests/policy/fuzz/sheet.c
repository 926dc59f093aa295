// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a sheet: refused with a message, or compiled into an image that its parser takes. */
#include <stdlib.h>

#include "compile/compile.h"
#include "base/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pol_image *p = NULL, *again;
	struct pol_err e = { "" };
	struct m_model m;
	int ret;

	if (model_init(&m))
		abort();
	ret = model_load_sheet(&m, "fuzz.xml", (const char *)data, size, &e);
	if (ret && !e.msg[0])
		abort();
	m.cloud = m.cloud == POL_NONE ? m_add(&m, "fuzz") : m.cloud;
	if (!ret)
		p = pol_compile(&m, &e);
	if (p) {
		again = pol_image_parse(p->base, p->size, &e);
		if (!again)
			abort();
		pol_free(again);
	}
	pol_free(p);
	model_free(&m);
	return 0;
}
