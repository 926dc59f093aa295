/* SPDX-License-Identifier: GPL-2.0-only */
/* Growable arrays that refuse to pass a stated bound. */
#ifndef POL_VEC_H
#define POL_VEC_H

#include <stdint.h>
#include <stdlib.h>

/* Declares the three members of an array of @type_t named @name. */
#define POL_VEC(type_t, name) \
	type_t *name; \
	uint32_t n_##name; \
	uint32_t cap_##name

/**
 * pol_vec_grow() - make room for @extra more records
 * @data: the array's address, moved as needed
 * @cap: its capacity in records, updated
 * @n: records in use
 * @extra: records wanted beyond @n
 * @size: bytes per record
 *
 * Return: 0, or -ENOMEM, with the array as it was.
 */
int pol_vec_grow(void **data, uint32_t *cap, uint32_t n, uint32_t extra, size_t size);

/* Reserves @extra records of @o's array @name: 0 or -ENOMEM. */
#define pol_vec_reserve(o, name, extra) \
	pol_vec_grow((void **)&(o)->name, &(o)->cap_##name, (o)->n_##name, (extra), \
		     sizeof(*(o)->name))

/* Appends a record, given as an initialiser: 0 or -ENOMEM. */
#define pol_vec_push(o, name, ...) \
	({ \
		__typeof__(*(o)->name) v_ = __VA_ARGS__; \
		int r_ = pol_vec_reserve(o, name, 1); \
		if (!r_) \
			(o)->name[(o)->n_##name++] = v_; \
		r_; \
	})

#endif
