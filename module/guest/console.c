// SPDX-License-Identifier: GPL-2.0
/* COM1, polled: a byte an OUT, no string I/O, which a host cannot emulate for us. */
#include "fw.h"

#define COM1		0x3f8
#define COM1_IER	(COM1 + 1)
#define COM1_LCR	(COM1 + 3)
#define COM1_LSR	(COM1 + 5)
#define LCR_DLAB	0x80
#define LCR_8N1		0x03
#define LSR_THRE	0x20
#define PATIENCE	10000	/* a host that is never ready loses text, not us time */

static void put(char c)
{
	unsigned int i;

	for (i = 0; i < PATIENCE; i++)
		if (inb(COM1_LSR) & LSR_THRE)
			break;
	outb(COM1, (u8)c);
}

/** say() - text to the console; a newline becomes CR LF */
void say(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

/** say_hex() - the low @digits hexadecimal digits of @value */
void say_hex(u64 value, unsigned int digits)
{
	while (digits--)
		put("0123456789abcdef"[value >> (4 * digits) & 15]);
}

/** say_dec() - @value in decimal */
void say_dec(u64 value)
{
	char text[21];
	unsigned int i = sizeof(text) - 1;

	text[i] = '\0';
	do {
		text[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	say(text + i);
}

/** say_digest() - one line: what was hashed, and its SHA-256 */
void say_digest(const char *name, const u8 digest[32])
{
	unsigned int i;

	say("underpin-fw: ");
	say(name);
	say(" ");
	for (i = 0; i < 32; i++)
		say_hex(digest[i], 2);
	say("\n");
}
