// SPDX-License-Identifier: GPL-2.0-only
/* underpin policy request: asks a daemon, and prints the request's path. */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <time.h>

#include "tool/cmd.h"
#include "trust/ticket.h"
#include "trust/tls.h"

#define ANSWER_MAX	(1u << 20)

static size_t take(char *data, size_t size, size_t n, void *ctx)
{
	struct cmd_answer *b = ctx;
	char *p;

	n *= size;
	if (b->len + n > ANSWER_MAX)
		return 0;
	p = realloc(b->text, b->len + n + 1);
	if (!p)
		return 0;
	b->text = p;
	memcpy(p + b->len, data, n);
	b->len += n;
	p[b->len] = 0;
	return n;
}

static json_t *attributes(const struct cmd_opts *o)
{
	json_t *j = json_object();
	uint32_t i;

	for (i = 0; i < o->n_attr; i++)
		json_object_set_new(j, o->attr[i].name, json_string(o->attr[i].value));
	return j;
}

static void set(json_t *j, const char *name, const char *value)
{
	if (value)
		json_object_set_new(j, name, json_string(value));
}

static char *message(const struct cmd_opts *o)
{
	char id[33];
	uint8_t raw[16];
	struct timespec t;
	json_t *j;
	char *text;
	int i;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return NULL;
	for (i = 0; i < 16; i++)
		sprintf(id + 2 * i, "%02x", raw[i]);
	clock_gettime(CLOCK_REALTIME, &t);
	j = json_pack("{s:i,s:s,s:I,s:i,s:s,s:o}", "v", 1, "id", o->id ? o->id : id, "issued",
		      (json_int_t)t.tv_sec * 1000 + t.tv_nsec / 1000000, "deadline_ms", 5000,
		      "action", o->action, "attributes", attributes(o));
	set(j, "resource", o->resource);
	set(j, "type", o->type);
	set(j, "role", o->role);
	set(j, "session", o->session);
	set(j, "assertion", o->token);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}

static CURLcode on_ssl_ctx(CURL *h, void *ctx, void *unit)
{
	(void)h;
	tls_client(ctx, unit);
	return CURLE_OK;
}

const char *cmd_post(const struct cmd_opts *o, const char *path, const char *text,
		     struct cmd_answer *b)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURL *h = curl_easy_init();
	char url[512];
	CURLcode c;

	snprintf(url, sizeof(url), "%s%s", o->url, path);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(h, CURLOPT_SSLCERT, o->cert);
	curl_easy_setopt(h, CURLOPT_SSLKEY, o->key);
	curl_easy_setopt(h, CURLOPT_CAINFO, o->ca);
	curl_easy_setopt(h, CURLOPT_CAPATH, NULL);	/* the system's authorities */
	curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(h, CURLOPT_SSL_CTX_DATA, TLS_LAYER_ANY);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, text);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, 10000L);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, b);
	c = curl_easy_perform(h);
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	return c == CURLE_OK ? NULL : curl_easy_strerror(c);
}

static const char *member(json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? s : "";
}

/* On the wire a step is an array; who reads the answer is told what each text is. */
static void name_steps(json_t *j)
{
	static const char *const names[] = {
		"cloud", "layer", "module", "verdict", "code", "text", "by"
	};
	json_t *trace = json_object_get(j, "trace"), *step, *named;
	const char *s;
	size_t i, k;

	json_array_foreach(trace, i, step) {
		named = json_object();
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			s = json_string_value(json_array_get(step, k));
			if (s && *s)
				json_object_set_new(named, names[k], json_string(s));
		}
		json_array_set_new(trace, i, named);
	}
}

static void print_trace(json_t *j)
{
	json_t *t;
	size_t i;

	json_array_foreach(json_object_get(j, "trace"), i, t)
		printf("%2zu  %-8s %-15s %-22s %-7s %s%s%s%s%s\n", i + 1, member(t, "cloud"),
		       member(t, "layer"), member(t, "module"), member(t, "verdict"),
		       member(t, "code"), *member(t, "text") ? ": " : "", member(t, "text"),
		       *member(t, "by") ? "  as told by " : "", member(t, "by"));
	printf("=>  %s%s\n", member(j, "verdict"), json_object_get(j, "ticket") ?
	       ", with a ticket" : "");
}

static int store_ticket(const struct cmd_opts *o, json_t *j)
{
	const char *s = member(j, "ticket");
	unsigned char raw[TICKET_SIZE + 8];
	FILE *f;
	bool ok;

	if (!o->out || !*s)
		return 0;
	if (strlen(s) != (TICKET_SIZE + 2) / 3 * 4 ||
	    EVP_DecodeBlock(raw, (const unsigned char *)s, strlen(s)) < TICKET_SIZE)
		return cmd_error(o, CMD_BAD, "the answer's ticket is damaged");
	f = fopen(o->out, "we");
	ok = f && fwrite(raw, 1, TICKET_SIZE, f) == TICKET_SIZE;
	if (f && fclose(f))
		ok = false;
	return ok ? 0 : cmd_error(o, CMD_SYSTEM, "the ticket cannot be written");
}

static int finish(const struct cmd_opts *o, json_t *j)
{
	const char *verdict = member(j, "verdict");
	int ret = store_ticket(o, j);

	name_steps(j);
	if (o->json)
		json_dumpf(j, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	else if (*verdict)
		print_trace(j);
	else
		printf("refused: %s\n", member(j, "error"));
	if (ret)
		return ret;
	return !strcmp(verdict, "permit") ? CMD_OK : !strcmp(verdict, "fail") ? CMD_SYSTEM : CMD_NO;
}

int cmd_request(const struct cmd_opts *o)
{
	struct cmd_answer b = { 0 };
	const char *error;
	char *text;
	json_t *j;
	int ret;

	if (!o->url || !o->cert || !o->key || !o->ca || !o->action || (!o->resource && !o->type))
		return cmd_error(o, CMD_USAGE, "request: give --url, --cert, --key, --ca, -a "
				 "and -r, or -t for any of a type");
	text = message(o);
	error = text ? cmd_post(o, "/v1/request", text, &b) : "out of memory";
	j = error ? NULL : json_loadb(b.text ? b.text : "", b.len, 0, NULL);
	if (j)
		ret = finish(o, j);
	else
		ret = cmd_error(o, CMD_SYSTEM, error ? error : "the answer is no message");
	json_decref(j);
	free(b.text);
	free(text);
	return ret;
}
