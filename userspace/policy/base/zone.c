// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/zone.h"

/* A transition rule of a POSIX TZ string: the form Mm.w.d/time, Jn or n. */
struct rule {
	char kind;
	int month, week, day;
	int32_t time;
};

static int64_t be(const uint8_t *p, int n)
{
	int64_t v = (int8_t)p[0];

	while (--n)
		v = (int64_t)((uint64_t)v << 8 | *++p);
	return v;
}

static int64_t days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool leap(int y)
{
	return (y % 4 == 0 && y % 100) || y % 400 == 0;
}

static int month_len(int y, int m)
{
	static const int8_t len[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return len[m - 1] + (m == 2 && leap(y));
}

/* Seconds since 1970 at which @r strikes in year @y, in the local time before it. */
static int64_t rule_at(const struct rule *r, int y)
{
	int64_t first, day;
	int wday;

	if (r->kind != 'M') {
		day = days_from_civil(y, 1, 1) + r->day;
		if (r->kind == 'J')
			day += (leap(y) && r->day >= 60) - 1;
		return day * 86400 + r->time;
	}
	first = days_from_civil(y, r->month, 1);
	wday = ((first + 4) % 7 + 7) % 7;
	day = (r->day - wday + 7) % 7 + (r->week - 1) * 7;
	while (day >= month_len(y, r->month))
		day -= 7;
	return (first + day) * 86400 + r->time;
}

static const char *number(const char *s, int max, int *v)
{
	const char *begin = s;

	for (*v = 0; *s >= '0' && *s <= '9'; s++) {
		*v = *v * 10 + *s - '0';
		if (*v > max)
			return NULL;
	}
	return s == begin ? NULL : s;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static const char *hms(const char *s, int32_t *v)
{
	int sign = *s == '-' ? -1 : 1, h, m = 0, sec = 0;

	s = number(s + (*s == '-' || *s == '+'), 167, &h);
	if (s && *s == ':')
		s = number(s + 1, 59, &m);
	if (s && *s == ':')
		s = number(s + 1, 59, &sec);
	*v = sign * (h * 3600 + m * 60 + sec);
	return s;
}

static const char *abbreviation(const char *s)
{
	const char *begin = s;

	if (*s == '<') {
		s = strchr(s, '>');
		return s ? s + 1 : NULL;
	}
	while ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))
		s++;
	return s - begin < 3 ? NULL : s;
}

static const char *parse_rule(const char *s, struct rule *r)
{
	if (!s || *s++ != ',')
		return NULL;
	*r = (struct rule){ .kind = *s, .time = 7200 };
	if (*s == 'M') {
		s = number(s + 1, 12, &r->month);
		s = s && *s == '.' && r->month ? number(s + 1, 5, &r->week) : NULL;
		s = s && *s == '.' && r->week ? number(s + 1, 6, &r->day) : NULL;
	} else {
		s = number(s + (*s == 'J'), 365, &r->day);
	}
	return s && *s == '/' ? hms(s + 1, &r->time) : s;
}

static int push(struct zone *z, int64_t at, int32_t offset)
{
	if (z->n_change && at <= z->change[z->n_change - 1].at)
		return 0;
	return pol_vec_push(z, change, { .at = at, .offset = offset });
}

/* Writes out what the footer's rule says of the years after the last change. */
static int extend(struct zone *z, const char *tz)
{
	int32_t std, dst;
	struct rule on, off;
	int64_t a, b;
	int y;

	z->horizon = INT64_MAX;
	tz = abbreviation(tz);
	tz = tz ? hms(tz, &std) : NULL;
	if (!tz)
		return -EINVAL;
	if (!*tz)
		return 0;
	dst = std - 3600;
	tz = abbreviation(tz);
	if (tz && *tz != ',')
		tz = hms(tz, &dst);
	tz = parse_rule(parse_rule(tz, &on), &off);
	if (!tz || *tz)
		return -EINVAL;
	for (y = 1970; y <= ZONE_YEAR_LAST; y++) {
		a = rule_at(&on, y) + std;
		b = rule_at(&off, y) + dst;
		if (push(z, a < b ? a : b, a < b ? -dst : -std) ||
		    push(z, a < b ? b : a, a < b ? -std : -dst))
			return -ENOMEM;
	}
	z->horizon = days_from_civil(ZONE_YEAR_LAST, 1, 1) * 86400;
	return 0;
}

/* The header's six counts, and where the block's data begin. */
struct block {
	uint32_t isut, isstd, leap, time, type, chars;
	size_t data, end;
};

static int block(const uint8_t *buf, size_t len, size_t at, int width, struct block *b)
{
	uint32_t *n[] = { &b->isut, &b->isstd, &b->leap, &b->time, &b->type, &b->chars };
	int i;

	if (len < at + 44 || memcmp(buf + at, "TZif", 4))
		return -EINVAL;
	for (i = 0; i < 6; i++) {
		*n[i] = be(buf + at + 20 + 4 * i, 4);
		if (*n[i] > 65536)
			return -EINVAL;
	}
	b->data = at + 44;
	b->end = b->data + (size_t)b->time * (width + 1) + (size_t)b->type * 6 + b->chars +
		 (size_t)b->leap * (width + 4) + b->isstd + b->isut;
	return b->end > len || !b->type ? -EINVAL : 0;
}

static int changes(struct zone *z, const uint8_t *buf, const struct block *b)
{
	const uint8_t *at = buf + b->data, *idx = at + b->time * 8, *type = idx + b->time;
	uint32_t i;

	if (push(z, INT64_MIN, be(type, 4)))
		return -ENOMEM;
	for (i = 0; i < b->time; i++) {
		if (idx[i] >= b->type)
			return -EINVAL;
		if (push(z, be(at + 8 * i, 8), be(type + 6 * idx[i], 4)))
			return -ENOMEM;
	}
	for (i = 0; i < z->n_change; i++)
		if (z->change[i].offset > 93600 || z->change[i].offset < -93600)
			return -EINVAL;
	return 0;
}

int zone_parse(struct zone *z, const uint8_t *buf, size_t len, struct pol_err *e)
{
	char footer[128] = "";
	struct block b1, b2;
	size_t n;
	int ret;

	memset(z, 0, sizeof(*z));
	if (block(buf, len, 0, 4, &b1) || buf[4] < '2' || block(buf, len, b1.end, 8, &b2))
		return pol_fail(e, EINVAL, "no TZif file of version 2 or later");
	ret = changes(z, buf, &b2);
	if (ret)
		return pol_fail(e, -ret, "time zone: bad transition");
	for (n = 0; b2.end + 1 + n < len && n < sizeof(footer) - 1; n++) {
		if (buf[b2.end + 1 + n] == '\n')
			break;
		footer[n] = buf[b2.end + 1 + n];
	}
	if (b2.end >= len || buf[b2.end] != '\n' || b2.end + 1 + n >= len ||
	    buf[b2.end + 1 + n] != '\n')
		return pol_fail(e, EINVAL, "time zone: no footer");
	if (!*footer) {
		z->horizon = z->change[z->n_change - 1].at;
		return 0;
	}
	ret = extend(z, footer);
	return ret ? pol_fail(e, -ret, "time zone: bad rule '%s'", footer) : 0;
}

int zone_load(struct zone *z, const char *name, struct pol_err *e)
{
	const char *dir = getenv("TZDIR");
	char path[512];
	uint8_t *buf;
	size_t len;
	FILE *f;
	int ret;

	memset(z, 0, sizeof(*z));
	if (!*name || *name == '/' || *name == '.' || strstr(name, "..") || strlen(name) > 64)
		return pol_fail(e, EINVAL, "'%s' is no time zone: name it like Europe/Berlin",
				name);
	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/usr/share/zoneinfo", name);
	f = fopen(path, "re");
	if (!f)
		return pol_fail(e, ENOENT, "time zone '%s' is unknown here: correct the name, or "
				"install tzdata", name);
	buf = malloc(ZONE_FILE_MAX);
	len = buf ? fread(buf, 1, ZONE_FILE_MAX, f) : 0;
	fclose(f);
	ret = buf ? zone_parse(z, buf, len, e) : -ENOMEM;
	free(buf);
	return ret;
}

void zone_free(struct zone *z)
{
	free(z->change);
	memset(z, 0, sizeof(*z));
}
