/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON written as text at once. What a request writes, an answer and two records, has a
 * fixed form: a tree of it to be built, walked and freed is half of what a request costs.
 * What is read is another matter: that is jansson's.
 */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_out {
	char *text;
	size_t len, cap;
	bool failed;		/* memory ran out, or something was no UTF-8 */
};

/* The beginning and the end of an object or an array: one of "{}[]". */
void json_out_open(struct json_out *o, char bracket);
void json_out_close(struct json_out *o, char bracket);

/* The name of an object's member, whose value comes next. */
void json_out_name(struct json_out *o, const char *name);

/**
 * json_out_text() - write a text
 * @s: bytes of whatever origin; if they are no UTF-8, all of @o has failed
 */
void json_out_text(struct json_out *o, const char *s);
void json_out_number(struct json_out *o, int64_t n);

/* A member that is a text; left out if @s is NULL. */
void json_out_member(struct json_out *o, const char *name, const char *s);

/* A member that is true. */
void json_out_flag(struct json_out *o, const char *name);

/* Is it UTF-8, as those who read JSON take it? */
bool json_out_takes(const char *s);

/**
 * json_out_end() - what was written
 *
 * Return: @o->text, to be freed, or NULL if anything failed.
 */
char *json_out_end(struct json_out *o);

#endif
