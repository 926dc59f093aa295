/* SPDX-License-Identifier: GPL-2.0-only */
/* What cppcheck, which reads no system headers, must know of jansson's macros. */
#define json_array_foreach(a, i, v) \
	for (i = 0; i < json_array_size(a) && (v = json_array_get(a, i)); i++)
#define json_object_foreach(o, k, v) \
	for (k = json_object_iter(o); k && (v = json_object_get(o, k)); k++)
