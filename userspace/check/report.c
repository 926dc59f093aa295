// SPDX-License-Identifier: GPL-2.0
/* What every check reports with. */
#include <stdarg.h>
#include <stdio.h>
#include "userspace/check/check.h"
#include "userspace/cli/sysfile.h"

bool check_loaded(void)
{
	return sysfile_exists("/sys/module/underpin/initstate");
}

enum check_result check_pass(struct check_report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->found, sizeof(r->found), fmt, args);
	va_end(args);
	return CHECK_PASS;
}

enum check_result check_fail(struct check_report *r, const char *cure, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->found, sizeof(r->found), fmt, args);
	va_end(args);
	snprintf(r->cure, sizeof(r->cure), "%s", cure);
	return CHECK_FAIL;
}

enum check_result check_skip(struct check_report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->found, sizeof(r->found), fmt, args);
	va_end(args);
	return CHECK_SKIP;
}
