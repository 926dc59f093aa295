// SPDX-License-Identifier: GPL-2.0
/* underpin last-words: how far the last launch came that did not end. */
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include "module/last_words.h"
#include "userspace/check/check.h"
#include "userspace/cli/cli.h"

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71

static void read_once(__u8 bytes[3])
{
	static const __u8 registers[3] = { WORDS_STEP, WORDS_CPU_LOW, WORDS_CPU_HIGH };
	int i;

	for (i = 0; i < 3; i++) {
		outb(registers[i], CMOS_INDEX);
		bytes[i] = inb(CMOS_DATA);
	}
}

/* The kernel reads the clock by the same two ports: until two readings agree. */
static int read_cmos(__u8 bytes[3])
{
	__u8 again[3];
	int tries;

	if (ioperm(CMOS_INDEX, 2, 1)) {
		cli_error("the clock's memory cannot be read: %s; run this as root, without kernel lockdown, or see what insmod says in the kernel log",
			  strerror(errno));
		return -1;
	}
	for (tries = 0; tries < 16; tries++) {
		read_once(bytes);
		read_once(again);
		if (!memcmp(bytes, again, sizeof(again)))
			return 0;
	}
	cli_error("the clock's memory changes all the time: try again");
	return -1;
}

static void print_words(const __u8 bytes[3], bool json)
{
	unsigned int cpu, step;
	bool found = words_read(bytes, &cpu, &step);
	json_object *o;

	if (!json && !found)
		puts("no last words: no launch has hung, or what it left is gone");
	else if (!json)
		printf("CPU %u %s (step %u)\n", cpu, launch_step_text(step), step);
	if (!json)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "found", json_object_new_boolean(found));
	if (found) {
		json_object_object_add(o, "cpu", json_object_new_int(cpu));
		json_object_object_add(o, "step", json_object_new_int(step));
		json_object_object_add(o, "what", json_object_new_string(launch_step_text(step)));
	}
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
}

int cmd_last_words(int argc, char **argv)
{
	__u8 bytes[3];
	bool json;

	if (cli_only_output(argc, argv, 0, &json) < 0)
		return CLI_USAGE;
	if (read_cmos(bytes))
		return CLI_FAILED;
	print_words(bytes, json);
	return CLI_OK;
}
