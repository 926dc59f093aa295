/* SPDX-License-Identifier: GPL-2.0-only */
/* From sheets to the image that decides. */
#ifndef POL_COMPILE_H
#define POL_COMPILE_H

#include "base/image.h"
#include "sheets/model.h"

/**
 * pol_compile() - make the image of a policy base
 * @m: the sheets' records; the words of its lists are interned
 * @e: what is wrong: sheet, line, rule
 *
 * Static constraints (references, cycles, SSD of named users, cardinality,
 * types, SLA subsets) are checked here. Source: S2.8.
 *
 * Return: a new image, or NULL with @e set.
 */
struct pol_image *pol_compile(struct m_model *m, struct pol_err *e);

/**
 * pol_load() - read and compile a policy base, or read a compiled one
 * @path: a directory of sheets, or a file of "underpin policy compile"
 * @e: what is wrong
 *
 * Return: a new image, or NULL with @e set.
 */
struct pol_image *pol_load(const char *path, struct pol_err *e);

#endif
