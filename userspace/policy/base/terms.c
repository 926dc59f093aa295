// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/terms.h"

const char *const pol_type_name[T_NTYPES] = { "boolean", "integer", "string", "set", "time" };
const char *const pol_layer_name[L_NLAYERS] = { "application", "platform", "infrastructure" };
const char *const pol_method_name[M_NMETHODS] = { "x509", "fingerprint", "jwt" };
const char *const pol_apply_name[F_NAPPLY] = { "expression", "count", "length", "hour",
					       "weekday" };
const char *const pol_op_name[OP_NOPS] = {
	"all", "any", "not", "equals", "differs", "less", "at-most", "more", "at-least",
	"in", "contains", "subset", "intersects", "starts-with", "holds",
};

const char *const pol_day_name[7] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

int pol_time(const char *s, int64_t *t)
{
	int y, mon, d, h, min, sec, n = 0;
	struct tm tm = { 0 }, back;
	time_t at;

	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &y, &mon, &d, &h, &min, &sec, &n) != 6 ||
	    n != 20 || s[n])
		return -EINVAL;
	tm.tm_year = y - 1900;
	tm.tm_mon = mon - 1;
	tm.tm_mday = d;
	tm.tm_hour = h;
	tm.tm_min = min;
	tm.tm_sec = sec;
	back = tm;
	at = timegm(&tm);
	if (tm.tm_mday != back.tm_mday || tm.tm_mon != back.tm_mon ||
	    tm.tm_hour != back.tm_hour || tm.tm_min != back.tm_min || tm.tm_sec != back.tm_sec)
		return -EINVAL;
	*t = at;
	return 0;
}
