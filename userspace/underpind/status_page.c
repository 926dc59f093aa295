// SPDX-License-Identifier: GPL-2.0-only
/* The status page itself: HTML and SVG, whose every text from elsewhere goes through html.c. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "engine/sla.h"
#include "net/html.h"
#include "net/loop.h"
#include "status.h"

#define ALLOCATIONS_MAX	100
#define CHART_HEIGHT	120u
#define CHART_BAR	12u	/* pixels a minute */
#define LANE		190u	/* of a daemon, in the picture of a request */
#define ROW		44u
#define BOX_WIDTH	170u
#define BOX_HEIGHT	32u

const char status_css[] =
	"body{font:14px sans-serif;margin:2em;color:#222;background:#fff}"
	"table{border-collapse:collapse}"
	"th,td{border:1px solid #ccc;padding:2px 8px;text-align:left}"
	"th{background:#eee}svg{background:#fafafa;border:1px solid #ccc}"
	"text{font:12px sans-serif;unicode-bidi:isolate}"
	".permit{fill:#c8e6c9;stroke:#2e7d32}.deny{fill:#ffcdd2;stroke:#c62828}"
	".fail{fill:#ffe0b2;stroke:#ef6c00}.line{stroke:#888;fill:none}"
	".c0{fill:#c62828}.c1{fill:#1565c0}.c2{fill:#2e7d32}.c3{fill:#ef6c00}.c4{fill:#6a1b9a}"
	".c5{fill:#00838f}.c6{fill:#9e9d24}.c7{fill:#4e342e}.c8{fill:#ad1457}.c9{fill:#283593}"
	".c10{fill:#558b2f}.c11{fill:#757575}.key{width:12px;height:12px}";

static void cell(FILE *f, const char *s)
{
	fputs("<td><bdi>", f);
	html_text(f, s ? s : "");
	fputs("</bdi></td>", f);
}

static void when(FILE *f, int64_t t)
{
	char text[32] = "";
	time_t at = t;
	struct tm tm;

	if (gmtime_r(&at, &tm))
		strftime(text, sizeof(text), "%F %TZ", &tm);
	cell(f, text);
}

static void begin(FILE *f, const struct daemon *d, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<link rel=\"stylesheet\" href=\"/status.css\"><title>", f);
	html_text(f, d->conf.cloud);
	fprintf(f, " %s: %s</title></head><body>\n<h1>%s: <bdi>", pol_layer_name[d->conf.layer],
		title, title);
	html_text(f, d->conf.cloud);
	fprintf(f, "</bdi>, %s layer</h1>\n", pol_layer_name[d->conf.layer]);
}

static char *finish(FILE *f, char **text)
{
	fputs("</body></html>\n", f);
	return fclose(f) ? NULL : *text;
}

/* --- this daemon, its cloud's layers, its partners --- */

static void show_daemon(FILE *f, const struct daemon *d, const struct pol_image *p)
{
	const struct metrics *m = &d->metrics;
	char digest[65];

	pol_hex(p->digest, 32, digest);
	fprintf(f, "<p>underpind %s; its state is %s. Requests: %llu permitted, %llu denied, "
		"%llu failed, %u under way. Policy %.16s.</p>\n", UNDERPIN_VERSION,
		d->state.broken ? "<b>broken: the disk failed</b>" : "good",
		(unsigned long long)m->permit, (unsigned long long)m->deny,
		(unsigned long long)m->fail, d->n_works, digest);
}

static void asked_cells(FILE *f, const struct asked *a)
{
	fprintf(f, "<td>%u</td><td>%u</td>", a->asked, a->unanswered);
	if (a->answered_ms)
		fprintf(f, "<td>%lld s ago</td>",
			(long long)(loop_ms() - a->answered_ms) / 1000);
	else
		fputs("<td>none</td>", f);
}

static void show_layers(FILE *f, const struct daemon *d)
{
	const struct conf *c = &d->conf;
	int l;

	fputs("<h2>Layers</h2>\n<table id=\"layers\"><tr><th>layer</th><th>where</th><th>asked</th>"
	      "<th>unanswered</th><th>last answer</th></tr>\n", f);
	for (l = 0; l < L_NLAYERS; l++) {
		fprintf(f, "<tr><td>%s</td>", pol_layer_name[l]);
		if (l == (int)c->layer) {
			fputs("<td colspan=\"4\">this daemon</td></tr>\n", f);
			continue;
		}
		cell(f, c->own.url[l]);
		asked_cells(f, &d->asked[CONF_PEERS_MAX][l]);
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
}

static void slas_with(FILE *f, const struct pol_image *p, const char *cloud, int rows)
{
	struct pol_reason r;
	uint32_t i, n = 0;

	fprintf(f, "<td rowspan=\"%d\">", rows);
	for (i = 0; i < p->n_sla; i++) {
		if (!sla_standing(p, i, cloud, time(NULL), &r))
			continue;
		fprintf(f, "%s<bdi>", n++ ? ", " : "");
		html_text(f, pol_str(p, p->sla[i].id));
		fprintf(f, "</bdi> (%s)",
			p->sla[i].side == SIDE_PROVIDER ? "provider" : "consumer");
	}
	fputs("</td>", f);
}

static void show_partner(FILE *f, const struct daemon *d, const struct pol_image *p, uint32_t i)
{
	const struct conf_peer *peer = &d->conf.peer[i];
	int l;

	for (l = 0; l < L_NLAYERS; l++) {
		fputs("<tr>", f);
		if (!l) {
			fprintf(f, "<td rowspan=\"%d\"><bdi>", L_NLAYERS);
			html_text(f, peer->cloud);
			fputs("</bdi></td>", f);
			slas_with(f, p, peer->cloud, L_NLAYERS);
		}
		cell(f, pol_layer_name[l]);
		cell(f, peer->url[l]);
		asked_cells(f, &d->asked[i][l]);
		fputs("</tr>\n", f);
	}
}

/* One that the configuration names no more keeps its place, and nothing else. */
static void show_partners(FILE *f, const struct daemon *d, const struct pol_image *p)
{
	uint32_t i;

	fputs("<h2>Partners</h2>\n<table id=\"partners\"><tr><th>cloud</th><th>SLAs in force</th>"
	      "<th>layer</th><th>where</th><th>asked</th><th>unanswered</th><th>last answer</th>"
	      "</tr>\n", f);
	for (i = 0; i < d->conf.n_peer; i++)
		if (*d->conf.peer[i].ca)
			show_partner(f, d, p, i);
	fputs("</table>\n", f);
}

/* --- allocations --- */

static void show_allocation(void *ctx, json_t *row)
{
	static const char *const names[] = { "resource", "device", "host", "cloud", "request" };
	FILE *f = ctx;
	size_t i;

	fputs("<tr>", f);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cell(f, json_string_value(json_object_get(row, names[i])));
	fprintf(f, "<td>%s</td>",
		json_integer_value(json_object_get(row, "isolated")) ? "yes" : "");
	when(f, json_integer_value(json_object_get(row, "time")));
	fputs("</tr>\n", f);
	json_decref(row);
}

static void show_allocations(FILE *f, struct daemon *d)
{
	char *next = NULL;
	struct pol_err e;

	fputs("<h2>Allocations</h2>\n<table id=\"allocations\"><tr><th>resource</th><th>device</th>"
	      "<th>host</th><th>cloud</th><th>request</th><th>isolated</th><th>since</th></tr>\n",
	      f);
	if (state_list(&d->state, "allocations", NULL, "", ALLOCATIONS_MAX, show_allocation, f,
		       &next, &e))
		fputs("<tr><td colspan=\"7\">cannot be read</td></tr>\n", f);
	fputs("</table>\n", f);
	if (next)
		fputs("<p>There may be more: underpin policy list allocations.</p>\n", f);
	free(next);
}

/* --- refusals by reason over time --- */

static uint32_t minute_sum(const struct recent *r, uint32_t at)
{
	uint32_t i, n = 0;

	for (i = 0; i < r->n_code; i++)
		n += r->code[i].count[at];
	return n;
}

static void show_bar(FILE *f, const struct recent *r, uint32_t ago, uint32_t most)
{
	uint32_t at = (r->minute + RECENT_MINUTES - ago) % RECENT_MINUTES, i;
	double y = CHART_HEIGHT, h;

	for (i = 0; i < r->n_code; i++) {
		if (!r->code[i].count[at])
			continue;
		h = (double)(CHART_HEIGHT - 10) * r->code[i].count[at] / most;
		y -= h;
		fprintf(f, "<rect class=\"c%u\" x=\"%u\" y=\"%.1f\" width=\"%u\" height=\"%.1f\">"
			"<title>%u minutes ago: %u ", i, (RECENT_MINUTES - 1 - ago) * CHART_BAR, y,
			CHART_BAR - 2, h, ago, r->code[i].count[at]);
		html_text(f, r->code[i].name);
		fputs("</title></rect>\n", f);
	}
}

static void show_legend(FILE *f, const struct recent *r)
{
	uint32_t i, k, n;

	fputs("<table id=\"reasons\"><tr><th></th><th>reason</th><th>in the last hour</th></tr>\n",
	      f);
	for (i = 0; i < r->n_code; i++) {
		for (k = n = 0; k < RECENT_MINUTES; k++)
			n += r->code[i].count[k];
		fprintf(f, "<tr><td><svg class=\"key\"><rect class=\"c%u\" width=\"12\" "
			"height=\"12\"/></svg></td>", i);
		cell(f, r->code[i].name);
		fprintf(f, "<td>%u</td></tr>\n", n);
	}
	fputs("</table>\n", f);
}

static void show_refusals(FILE *f, struct recent *r)
{
	uint32_t i, n, most = 1;

	recent_until(r, loop_ms() / 60000);
	for (i = 0; i < RECENT_MINUTES; i++) {
		n = minute_sum(r, i);
		most = n > most ? n : most;
	}
	fprintf(f, "<h2>Refusals by reason</h2>\n<svg id=\"refusals\" width=\"%u\" height=\"%u\" "
		"role=\"img\" aria-label=\"refusals in each minute of the last hour\">\n",
		RECENT_MINUTES * CHART_BAR, CHART_HEIGHT + 20);
	for (i = 0; i < RECENT_MINUTES; i++)
		show_bar(f, r, i, most);
	fprintf(f, "<text x=\"4\" y=\"12\">%u a minute</text><text x=\"4\" y=\"%u\">an hour ago"
		"</text><text x=\"%u\" y=\"%u\" text-anchor=\"end\">now</text></svg>\n", most,
		CHART_HEIGHT + 15, RECENT_MINUTES * CHART_BAR - 4, CHART_HEIGHT + 15);
	show_legend(f, r);
}

/* --- requests --- */

static void show_request(FILE *f, const struct recent_request *q)
{
	json_t *j = q->answer ? json_loads(q->answer, 0, NULL) : NULL;

	fputs("<tr>", f);
	when(f, q->time);
	fprintf(f, "<td><a href=\"/request?id=%s\">%s</a></td>", q->id, q->id);
	cell(f, q->who);
	cell(f, q->action);
	cell(f, q->resource);
	cell(f, json_string_value(json_object_get(j, "verdict")));
	cell(f, json_string_value(json_object_get(j, "code")));
	fprintf(f, "<td>%u ms</td></tr>\n", q->took_ms);
	json_decref(j);
}

static void show_requests(FILE *f, const struct recent *r)
{
	uint32_t i, at;

	fputs("<h2>Requests</h2>\n<table id=\"requests\"><tr><th>at</th><th>request</th><th>of</th>"
	      "<th>action</th><th>resource</th><th>verdict</th><th>reason</th><th>took</th></tr>\n",
	      f);
	for (i = 1; i <= RECENT_REQUESTS; i++) {
		at = (r->next + RECENT_REQUESTS - i) % RECENT_REQUESTS;
		if (*r->request[at].id)
			show_request(f, &r->request[at]);
	}
	fputs("</table>\n", f);
}

char *status_page(struct daemon *d)
{
	struct pol_image *p;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	p = admin_get(&d->admin);
	begin(f, d, "Status");
	show_daemon(f, d, p);
	show_layers(f, d);
	show_partners(f, d, p);
	show_allocations(f, d);
	show_refusals(f, d->recent);
	show_requests(f, d->recent);
	admin_put(&d->admin, p);
	return finish(f, &text);
}

/* --- one request's way --- */

struct way {
	json_t *trace;			/* arrays, as in messages */
	size_t n_lane;
	size_t lane[MSG_TRACE_MAX];	/* the first step of each daemon */
};

static const char *part(const struct way *w, size_t step, int k)
{
	const char *s = json_string_value(json_array_get(json_array_get(w->trace, step), k));

	return s ? s : "";
}

static size_t lane_of(struct way *w, size_t step)
{
	size_t i;

	for (i = 0; i < w->n_lane; i++)
		if (!strcmp(part(w, w->lane[i], 0), part(w, step, 0)) &&
		    !strcmp(part(w, w->lane[i], 1), part(w, step, 1)))
			return i;
	if (w->n_lane == MSG_TRACE_MAX)
		return 0;
	w->lane[w->n_lane] = step;
	return w->n_lane++;
}

static size_t x_of(size_t lane)
{
	return lane * LANE + LANE / 2;
}

static void draw_lane(FILE *f, const struct way *w, size_t i, size_t height)
{
	fprintf(f, "<line class=\"line\" x1=\"%zu\" y1=\"24\" x2=\"%zu\" y2=\"%zu\"/>"
		"<text x=\"%zu\" y=\"16\" text-anchor=\"middle\">", x_of(i), x_of(i), height,
		x_of(i));
	html_text(f, part(w, w->lane[i], 0));
	fputs(" ", f);
	html_text(f, part(w, w->lane[i], 1));
	fputs("</text>\n", f);
}

static const char *class_of(const char *verdict)
{
	return !strcmp(verdict, "permit") || !strcmp(verdict, "deny") ? verdict : "fail";
}

static void draw_step(FILE *f, struct way *w, size_t step)
{
	size_t x = x_of(lane_of(w, step)), y = 30 + step * ROW;

	if (step)
		fprintf(f, "<line class=\"line\" marker-end=\"url(#to)\" x1=\"%zu\" y1=\"%zu\" "
			"x2=\"%zu\" y2=\"%zu\"/>\n", x_of(lane_of(w, step - 1)),
			y - ROW + BOX_HEIGHT, x, y - 1);
	fprintf(f, "<rect class=\"%s\" x=\"%zu\" y=\"%zu\" width=\"%u\" height=\"%u\" rx=\"4\">"
		"<title>", class_of(part(w, step, 3)), x - BOX_WIDTH / 2, y, BOX_WIDTH,
		BOX_HEIGHT);
	html_text(f, part(w, step, 5));
	fprintf(f, "</title></rect><text x=\"%zu\" y=\"%zu\" text-anchor=\"middle\">", x, y + 13);
	html_text(f, part(w, step, 2));
	fprintf(f, "</text><text x=\"%zu\" y=\"%zu\" text-anchor=\"middle\">", x, y + 27);
	html_text(f, part(w, step, 4));
	fputs("</text>\n", f);
}

static void show_picture(FILE *f, struct way *w)
{
	size_t n = json_array_size(w->trace), i, height = 40 + n * ROW;

	for (i = 0; i < n; i++)
		lane_of(w, i);
	fprintf(f, "<svg id=\"way\" width=\"%zu\" height=\"%zu\" role=\"img\" aria-label=\"the "
		"request's way\"><defs><marker id=\"to\" markerWidth=\"8\" markerHeight=\"8\" "
		"refX=\"7\" refY=\"4\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\"/></marker>"
		"</defs>\n", w->n_lane * LANE + 1, height);
	for (i = 0; i < w->n_lane; i++)
		draw_lane(f, w, i, height);
	for (i = 0; i < n; i++)
		draw_step(f, w, i);
	fputs("</svg>\n", f);
}

static void show_steps(FILE *f, const struct way *w)
{
	size_t i, n = json_array_size(w->trace);
	int k;

	fputs("<table id=\"steps\"><tr><th>cloud</th><th>layer</th><th>module</th><th>verdict</th>"
	      "<th>reason</th><th>text</th><th>as told by</th></tr>\n", f);
	for (i = 0; i < n; i++) {
		fputs("<tr>", f);
		for (k = 0; k < 7; k++)
			cell(f, part(w, i, k));
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
}

static const struct recent_request *find(const struct recent *r, const char *id)
{
	uint32_t i, at;

	for (i = 1; *id && i <= RECENT_REQUESTS; i++) {
		at = (r->next + RECENT_REQUESTS - i) % RECENT_REQUESTS;
		if (!strcmp(r->request[at].id, id))
			return &r->request[at];
	}
	return NULL;
}

char *status_request_page(struct daemon *d, const char *id)
{
	const struct recent_request *q = find(d->recent, id);
	struct way w = { .n_lane = 0 };
	char *text = NULL;
	json_t *j;
	size_t size;
	FILE *f;

	f = q && q->answer ? open_memstream(&text, &size) : NULL;
	if (!f)
		return NULL;
	j = json_loads(q->answer, 0, NULL);
	w.trace = json_object_get(j, "trace");
	begin(f, d, "Request");
	fputs("<p><a href=\"/\">Status</a></p><table><tr><th>at</th><th>request</th><th>of</th>"
	      "<th>action</th><th>resource</th><th>verdict</th><th>reason</th><th>took</th></tr>\n",
	      f);
	show_request(f, q);
	fputs("</table>\n<h2>Its way</h2>\n", f);
	show_picture(f, &w);
	show_steps(f, &w);
	json_decref(j);
	return finish(f, &text);
}
