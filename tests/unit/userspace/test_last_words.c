// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>
#include "module/last_words.h"
#include "tests.h"

/* What is written is read; any other byte in its place is not, and means no alarm. */
void test_last_words_are_read_as_written(void **state)
{
	unsigned int cpu, step, c, s, wrong, as_words = 0;
	__u8 bytes[3];

	(void)state;
	for (cpu = 0; cpu < 1024; cpu++) {
		for (step = 0; step < NR_STEPS; step++) {
			words_make(cpu, step, bytes);
			assert_true(words_read(bytes, &c, &s));
			assert_int_equal(c, cpu);
			assert_int_equal(s, step);
			assert_true(bytes[0] >= 0xc0 && bytes[2] >= 0xc0);
		}
	}
	words_make(0, 2, bytes);
	for (wrong = 0; wrong < 256; wrong++) {
		bytes[2] = wrong;
		as_words += words_read(bytes, &c, &s);
	}
	assert_true(as_words <= 4);
	memset(bytes, WORDS_ANY, sizeof(bytes));
	assert_false(words_read(bytes, &c, &s));
	memset(bytes, 0, sizeof(bytes));
	assert_false(words_read(bytes, &c, &s));
	memcpy(bytes, "\x59\x59\x23", 3);	/* an alarm at a minute to midnight */
	assert_false(words_read(bytes, &c, &s));
}
