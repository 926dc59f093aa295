// SPDX-License-Identifier: GPL-2.0-only
/* Periodic and interval constraints (S2.8), in the local time of a zone. */
#include "engine/decide.h"

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t zone_local(const struct pol_image *p, uint32_t zone, int64_t now)
{
	const struct pol_zone *z = &p->zone[zone];
	const struct zone_change *c = p->change + z->change;
	uint32_t lo = 0, hi = z->n_change, mid;

	if (now >= z->horizon || now < -(1ll << 40) || now > 1ll << 40)
		return INT64_MIN;
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (c[mid].at <= now)
			lo = mid;
		else
			hi = mid;
	}
	return now + c[lo].offset;
}

/* Month and day of the month of a day since 1970. */
static void civil(int64_t day, uint32_t *month, uint32_t *mday)
{
	int64_t z = day + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*mday = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
}

static bool on_day(const struct pol_window *w, int64_t day)
{
	uint32_t month, mday, wday = day + 4 - 7 * floor_div(day + 4, 7);

	if (!(w->days & 1u << wday))
		return false;
	if (w->month_days == UINT32_MAX && w->months == UINT32_MAX)
		return true;
	civil(day, &month, &mday);
	return (w->months & 1u << month) && (w->month_days & 1u << mday);
}

/* A window that crosses midnight belongs to the day on which it opens. */
static bool in_window(const struct pol_window *w, int64_t local)
{
	int64_t day = floor_div(local, 86400), second = local - day * 86400;
	int64_t from = w->from * 60, until = w->until * 60;

	if (from < until)
		return second >= from && second < until && on_day(w, day);
	return (second >= from && on_day(w, day)) || (second < until && on_day(w, day - 1));
}

bool period_contains(const struct pol_image *p, uint32_t period, int64_t now)
{
	const struct pol_period *t;
	bool in = false;
	int64_t local;
	uint32_t i;

	if (period == POL_NONE)
		return true;
	t = &p->period[period];
	for (i = t->between; i < t->between + t->n_between && !in; i++)
		in = now >= p->between[i].from && now < p->between[i].until;
	if (t->n_between && !in)
		return false;
	if (!t->n_window)
		return true;
	local = zone_local(p, t->zone, now);
	if (local == INT64_MIN)
		return false;
	for (i = 0; i < t->n_window; i++)
		if (in_window(&p->window[t->window + i], local))
			return true;
	return false;
}
