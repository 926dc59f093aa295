/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts from anywhere, in HTML and SVG. */
#ifndef HTML_H
#define HTML_H

#include <stdio.h>

/**
 * html_text() - write a text as nothing but text
 * @f: where to
 * @s: bytes of whatever origin
 *
 * Good for contents and for values of attributes in double quotes. What is no UTF-8, and
 * control codes, become U+FFFD; what is not seen or changes the order of other characters is
 * named in brackets.
 */
void html_text(FILE *f, const char *s);

#endif
