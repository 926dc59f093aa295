// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HTTPS side of a daemon: libmicrohttpd takes messages, the VRM answers them,
 * both in the loop's one thread. Mutually authenticated TLS 1.3 only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "authzen.h"
#include "compile/compile.h"
#include "daemon.h"
#include "check.h"
#include "net/identity.h"
#include "operate.h"
#include "reload.h"

#define IDLE_SECONDS	60	/* a kept connection may do nothing for this long */
#define REQUEST_SECONDS	10	/* handshake, headers and body may take this long */
#define CONN_MEMORY	(32 << 10)
#define TICK_MS		250	/* between looks at connections that are too slow */
#define LINGER_MS	50	/* the last answers leave before the daemon ends */
#define UPLOAD_BYTES	(1 << 20)	/* read of an upload that was refused */
#define UPLOAD_TICKS	4
#define UPLOADS_MAX	64
#define ROUNDS_MAX	8	/* looks for more requests, before those that wait are committed */

/* A connection, from accept to close. */
struct conn {
	struct conn *next, *prev;
	int fd;
	int64_t since;		/* loop_ms() at the last thing that made it wait */
	bool busy;		/* a request is being answered */
	bool idle;		/* has been answered at least once, and waits */
	uint32_t checked;	/* s->senders_loaded when it was; 0: never */
	struct sender sender;
	struct identity *identity;	/* that its handshake showed */
};

struct job {
	struct server *s;
	struct conn *conn;
	struct MHD_Connection *mc;
	char *body;
	size_t len, cap;
	bool taken;		/* by the VRM */
	char *answer;
	int status;
};

/*
 * A connection whose upload was refused: closed with bytes unread it would be
 * reset, and the reset overtake the answer. So what comes is read for a while.
 */
struct upload {
	struct server *s;
	int fd;				/* 0: free */
	int ticks;
	uint32_t bytes;
};

struct server {
	struct daemon *d;
	struct MHD_Daemon *mhd;
	bool run_mhd;			/* it has something to do */
	struct identity *identity;	/* of new connections */
	struct senders *senders;
	uint32_t senders_loaded;	/* how often */
	struct conn *conns;		/* the newest first */
	uint32_t n_conns;
	struct upload upload[UPLOADS_MAX];
	struct loop_timer tick;
	int signals;			/* descriptor */
	bool stop;
	pthread_t reloader;		/* compiles a policy, and ends */
	bool has_reloader;
	pthread_mutex_t reload_lock;	/* protects what follows */
	bool reloading, reload_asked;
	char policy[CONF_TEXT_MAX];
};

/* --- who is there --- */

/* Once a connection, and anew when its certificate ends or the authorities are reloaded. */
static void check_peer(struct server *s, struct MHD_Connection *mc, struct conn *c)
{
	const union MHD_ConnectionInfo *info;
	int64_t now = time(NULL);
	const gnutls_datum_t *der;
	unsigned int n = 0;

	if (c->checked == s->senders_loaded && now >= c->sender.from && now < c->sender.until)
		return;
	c->checked = s->senders_loaded;
	c->sender = (struct sender){ .kind = SENDER_NONE };
	info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	der = info ? gnutls_certificate_get_peers(info->tls_session, &n) : NULL;
	if (der && n)
		sender_identify(s->senders, &s->d->conf, der->data, der->size, &c->sender);
}

/* --- connections --- */

static void cut(struct server *s, struct conn *c)
{
	shutdown(c->fd, SHUT_RDWR);
	c->fd = -1;
	METRIC_INC(&s->d->metrics, cut);
}

/*
 * Places are kept for those who show a certificate and ask: when few are left, whoever
 * has waited longest without having done so makes room.
 */
static void make_room(struct server *s)
{
	struct conn *c, *oldest = NULL;

	if (s->n_conns < s->d->conf.connections - s->d->conf.connections / 8)
		return;
	for (c = s->conns; c; c = c->next)
		if (c->sender.kind == SENDER_NONE && c->fd >= 0)
			oldest = c;
	if (oldest)
		cut(s, oldest);
}

static void new_connection(struct server *s, struct MHD_Connection *mc, struct conn *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mc, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (info)
		c->identity = identity_show(s->identity, info->tls_session);
	c->fd = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->since = loop_ms();
	METRIC_INC(&s->d->metrics, connections);
	make_room(s);
	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	s->n_conns++;
}

static void on_connection(void *cls, struct MHD_Connection *mc, void **ctx,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *s = cls;
	struct conn *c = *ctx;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*ctx = c = calloc(1, sizeof(*c));
		if (c)
			new_connection(s, mc, c);
		return;
	}
	if (!c)
		return;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	s->n_conns--;
	identity_put(c->identity);
	free(c);
	*ctx = NULL;
}

static void end_upload(struct upload *u)
{
	loop_forget(&u->s->d->loop, u->fd, u);
	close(u->fd);
	u->fd = 0;
}

static void on_upload(void *ctx, int fd, uint32_t events)
{
	struct upload *u = ctx;
	char buf[16384];
	ssize_t n;

	(void)events;
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n > 0)
		u->bytes += n;
	if (!n || (n < 0 && errno != EAGAIN) || u->bytes > UPLOAD_BYTES)
		end_upload(u);
}

/* Reads on when libmicrohttpd has closed, from a descriptor of its own. */
static void read_on(struct server *s, struct conn *c)
{
	struct upload *u;

	for (u = s->upload; u < s->upload + UPLOADS_MAX; u++)
		if (!u->fd) {
			*u = (struct upload){ .s = s, .fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3) };
			if (u->fd < 0 || loop_watch(&s->d->loop, u->fd, EPOLLIN, on_upload, u)) {
				close(u->fd);
				u->fd = 0;
			}
			return;
		}
}

static void cut_slow(struct server *s)
{
	int64_t now = loop_ms();
	struct conn *c;

	for (c = s->conns; c; c = c->next)
		if (!c->busy && c->fd >= 0 &&
		    now - c->since > 1000 * (c->idle ? IDLE_SECONDS : REQUEST_SECONDS))
			cut(s, c);
}

static void on_tick(struct loop_timer *t)
{
	struct server *s = container_of(t, struct server, tick);
	struct upload *u;

	cut_slow(s);
	for (u = s->upload; u < s->upload + UPLOADS_MAX; u++)
		if (u->fd && ++u->ticks > UPLOAD_TICKS)
			end_upload(u);
	state_purge(&s->d->state);
	/* Full, it takes its listening socket out, and puts it back when it is run again. */
	s->run_mhd = true;
	loop_timer(&s->d->loop, t, TICK_MS);
}

static void mark(struct conn *c, bool busy, bool idle)
{
	c->busy = busy;
	c->idle = idle;
	c->since = loop_ms();
}

/* --- requests --- */

/* What whoever asks calls his request, he finds in the answer. */
static void name_request(struct job *j, struct MHD_Response *r)
{
	const char *id = MHD_lookup_connection_value(j->mc, MHD_HEADER_KIND, "X-Request-ID");

	if (id && strlen(id) <= 128)
		MHD_add_response_header(r, "X-Request-ID", id);
}

static enum MHD_Result reply(struct job *j, int status, const char *type, const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)text,
								 MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ret;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	name_request(j, r);
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(r, "Retry-After", "1");
	ret = MHD_queue_response(j->mc, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result reply_error(struct job *j, int status, const char *message)
{
	char text[256];

	snprintf(text, sizeof(text), "{\"error\":\"%s\"}", message);
	return reply(j, status, "application/json", text);
}

static bool take_body(struct job *j, const char *data, size_t n)
{
	size_t cap = j->cap ? j->cap : 4096;
	char *p;

	if (j->len + n > MSG_MAX)	/* more than was announced: libmicrohttpd cuts it */
		return false;
	while (cap < j->len + n)
		cap *= 2;
	if (cap != j->cap) {
		p = realloc(j->body, cap);
		if (!p)
			return false;
		j->body = p;
		j->cap = cap;
	}
	memcpy(j->body + j->len, data, n);
	j->len += n;
	return true;
}

/* @text is freed. */
static enum MHD_Result reply_text(struct job *j, const char *type, char *text)
{
	enum MHD_Result ret = text ? reply(j, MHD_HTTP_OK, type, text) : MHD_NO;

	free(text);
	return ret;
}

static enum MHD_Result get(struct job *j, const char *url)
{
	struct server *s = j->s;
	struct metrics_now now;
	char *text;

	if (j->conn->sender.kind == SENDER_REMOTE && !strcmp(url, "/v1/view"))
		return reply_text(j, "application/json",
				  operate_view(s->d, j->conn->sender.peer->cloud));
	if (j->conn->sender.kind == SENDER_REMOTE)
		return reply_error(j, MHD_HTTP_FORBIDDEN, "another cloud has no business here");
	if (!strcmp(url, AUTHZEN_METADATA) && (text = authzen_metadata(s->d)))
		return reply_text(j, "application/json", text);
	if (strcmp(url, "/metrics"))
		return reply_error(j, MHD_HTTP_NOT_FOUND, "nothing here: POST /v1/request, or GET "
				   "/metrics");
	now = (struct metrics_now){ s->d->n_works, s->n_conns };
	return reply_text(j, "text/plain; version=0.0.4",
			  metrics_text(&s->d->metrics, &now, s->d->conf.cloud,
				       pol_layer_name[s->d->conf.layer]));
}

static enum MHD_Result refuse_upload(struct job *j, int status, const char *message)
{
	read_on(j->s, j->conn);
	return reply_error(j, status, message);
}

static enum MHD_Result count_length(void *cls, enum MHD_ValueKind kind, const char *key,
				    const char *value)
{
	(void)kind;
	(void)value;
	*(int *)cls += !strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return MHD_YES;
}

/* Of two lengths one is a lie, or whoever stands between believes the other. */
static bool lengths_differ(struct MHD_Connection *mc)
{
	int n = 0;

	MHD_get_connection_values(mc, MHD_HEADER_KIND, count_length, &n);
	return n > 1;
}

/* For whoever watches over daemons, and has no certificate: is it there, can it answer? */
static bool is_probe(const char *method, const char *url)
{
	return !strcmp(method, "GET") && (!strcmp(url, "/healthz") || !strcmp(url, "/readyz"));
}

static enum MHD_Result probe(struct job *j, const char *url)
{
	const struct server *s = j->s;
	const char *not = s->stop ? "stopping" : s->d->state.broken ? "the disk failed" :
			  s->d->n_works >= s->d->conf.queue ? "the queue is full" : NULL;

	if (!strcmp(url, "/readyz") && not)
		return reply(j, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", not);
	return reply(j, MHD_HTTP_OK, "text/plain", "ok");
}

static enum MHD_Result first_call(struct server *s, struct MHD_Connection *mc, const char *url,
				  const char *method, void **ctx)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const char *length = MHD_lookup_connection_value(mc, MHD_HEADER_KIND, "Content-Length");
	struct job *j = calloc(1, sizeof(*j));

	if (!j || !info || !info->socket_context) {
		free(j);
		return MHD_NO;
	}
	*ctx = j;
	j->s = s;
	j->mc = mc;
	j->conn = info->socket_context;
	mark(j->conn, false, false);
	check_peer(s, mc, j->conn);
	if (j->conn->sender.kind == SENDER_NONE && !is_probe(method, url))
		return reply_error(j, MHD_HTTP_FORBIDDEN, "no certificate of a known authority: "
				   "present one");
	/* Whoever sends without end would not read an answer after it. */
	if (MHD_lookup_connection_value(mc, MHD_HEADER_KIND, "Transfer-Encoding"))
		return refuse_upload(j, MHD_HTTP_LENGTH_REQUIRED, "a message is not sent in "
				     "chunks: say its Content-Length, at most 65536 bytes");
	if (lengths_differ(mc))
		return refuse_upload(j, MHD_HTTP_BAD_REQUEST, "Content-Length is said twice");
	if (length && strtoull(length, NULL, 10) > MSG_MAX)
		return refuse_upload(j, MHD_HTTP_CONTENT_TOO_LARGE, "a message has at most 65536 "
				     "bytes");
	return MHD_YES;
}

static void on_answer(void *ctx, char *text, int status)
{
	struct job *j = ctx;

	j->answer = text;
	j->status = status;
	j->s->run_mhd = true;
	MHD_resume_connection(j->mc);
}

static enum MHD_Result ask_authzen(struct job *j, const char *path)
{
	const char *type = MHD_lookup_connection_value(j->mc, MHD_HEADER_KIND, "Content-Type");
	size_t n = strlen("application/json");

	if (!type || strncasecmp(type, "application/json", n) || (type[n] && type[n] != ';'))
		return reply_error(j, MHD_HTTP_BAD_REQUEST, "Content-Type is not application/json");
	j->taken = true;
	MHD_suspend_connection(j->mc);
	authzen_start(j->s->d, &j->conn->sender, path, j->body, j->len, on_answer, j);
	return MHD_YES;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *mc, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **ctx)
{
	struct server *s = cls;
	struct job *j = *ctx;

	(void)version;
	if (!j)
		return first_call(s, mc, url, method, ctx);
	if (j->taken)
		return j->answer ? reply(j, j->status, "application/json", j->answer) :
				   reply_error(j, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	if (*size) {
		if (!take_body(j, data, *size))
			return MHD_NO;
		*size = 0;
		return MHD_YES;
	}
	mark(j->conn, true, false);
	if (is_probe(method, url))
		return probe(j, url);
	if (!strcmp(method, "GET"))
		return get(j, url);
	if (!strcmp(method, "POST") && !strncmp(url, AUTHZEN_PREFIX, strlen(AUTHZEN_PREFIX)))
		return ask_authzen(j, url + strlen(AUTHZEN_PREFIX));
	if (!strcmp(method, "POST") && !strcmp(url, "/v1/operate")) {
		j->taken = true;
		MHD_suspend_connection(mc);
		operate_start(s->d, &j->conn->sender, j->body, j->len, on_answer, j);
		return MHD_YES;
	}
	if (strcmp(method, "POST") || strcmp(url, "/v1/request"))
		return reply_error(j, MHD_HTTP_NOT_FOUND, "nothing here: POST /v1/request");
	if (s->d->n_works < s->d->conf.queue && !s->stop &&
	    !vrm_has_its_share(s->d, &j->conn->sender)) {
		j->taken = true;
		MHD_suspend_connection(mc);
		vrm_start(s->d, &j->conn->sender, j->body, j->len, on_answer, j);
		return MHD_YES;
	}
	METRIC_INC(&s->d->metrics, overload);
	return reply_error(j, MHD_HTTP_SERVICE_UNAVAILABLE, "too many requests wait: retry");
}

static void on_completed(void *cls, struct MHD_Connection *mc, void **ctx,
			 enum MHD_RequestTerminationCode code)
{
	struct job *j = *ctx;

	(void)cls;
	(void)mc;
	(void)code;
	if (!j)
		return;
	mark(j->conn, false, true);
	free(j->body);
	free(j->answer);
	free(j);
	*ctx = NULL;
}

/* --- start and stop --- */

static struct MHD_Daemon *listen_on(struct server *s, struct pol_err *e)
{
	const struct conf *c = &s->d->conf;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(c->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(c->port) };
	void *addr = c->ipv6 ? (void *)&in6 : &in;
	struct MHD_Daemon *m;

	inet_pton(c->ipv6 ? AF_INET6 : AF_INET, c->address, c->ipv6 ? (void *)&in6.sin6_addr :
								      &in.sin_addr);
	m = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
			     (c->ipv6 ? MHD_USE_IPv6 : 0), c->port,
			     NULL, NULL, handle, s,
			     MHD_OPTION_SOCK_ADDR, addr, MHD_OPTION_HTTPS_CERT_CALLBACK,
			     identity_none,
			     MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
			     MHD_OPTION_CONNECTION_LIMIT, c->connections,
			     MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->per_address,
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_MEMORY,
			     MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
			     MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
	if (!m)
		pol_fail(e, EIO, "cannot listen on %s:%u: %m: is another daemon there?",
			 c->address, c->port);
	return m;
}

static int start(struct server *s, struct pol_err *e)
{
	const struct conf *c = &s->d->conf;

	s->identity = identity_load(c->cert, c->key, c->trust, e);
	s->senders = s->identity ? senders_load(c, e) : NULL;
	s->senders_loaded = 1;
	s->mhd = s->senders ? listen_on(s, e) : NULL;
	return s->mhd ? 0 : -EIO;
}

static void reload_once(struct server *s, const char *policy)
{
	struct pol_err e;

	if (!admin_reload(&s->d->admin, pol_load(policy, &e), &e)) {
		METRIC_INC(&s->d->metrics, reload);
		fprintf(stderr, "underpind: policy reloaded\n");
	} else {
		METRIC_INC(&s->d->metrics, reload_bad);
		fprintf(stderr, "underpind: the old policy stays in force: %s\n", e.msg);
	}
}

/* Its own thread: requests are answered under the old policy meanwhile. */
static void *reloader(void *arg)
{
	struct server *s = arg;
	char policy[CONF_TEXT_MAX];

	pthread_mutex_lock(&s->reload_lock);
	while (s->reload_asked) {
		s->reload_asked = false;
		strcpy(policy, s->policy);
		pthread_mutex_unlock(&s->reload_lock);
		reload_once(s, policy);
		pthread_mutex_lock(&s->reload_lock);
	}
	s->reloading = false;
	pthread_mutex_unlock(&s->reload_lock);
	return NULL;
}

static void end_reloader(struct server *s)
{
	if (s->has_reloader)
		pthread_join(s->reloader, NULL);
	s->has_reloader = false;
}

static void reload(struct server *s)
{
	bool begin;

	pthread_mutex_lock(&s->reload_lock);
	begin = !s->reloading;
	strcpy(s->policy, s->d->conf.policy);
	s->reload_asked = s->reloading = true;
	pthread_mutex_unlock(&s->reload_lock);
	if (!begin)
		return;
	end_reloader(s);
	s->has_reloader = !pthread_create(&s->reloader, NULL, reloader, s);
	if (s->has_reloader)
		return;
	s->reloading = false;
	fprintf(stderr, "underpind: the old policy stays in force: no thread to read a new one\n");
}

/*
 * A renewed certificate is shown from the next handshake on, and by this daemon's own
 * requests.
 */
static bool reload_identity(struct server *s)
{
	const struct conf *c = &s->d->conf;
	struct identity *new;
	struct pol_err e;

	new = check_identity(c, &e) ? NULL : identity_load(c->cert, c->key, c->trust, &e);
	if (!new) {
		fprintf(stderr, "underpind: the old certificate stays: %s\n", e.msg);
		return false;
	}
	identity_put(s->identity);
	s->identity = new;
	fprintf(stderr, "underpind: certificate reloaded\n");
	return true;
}

/* Each connection is looked at anew when it asks again. */
static bool reload_senders(struct server *s)
{
	struct pol_err e;
	struct senders *new = senders_load(&s->d->conf, &e);

	if (!new) {
		fprintf(stderr, "underpind: the old authorities stay: %s\n", e.msg);
		return false;
	}
	senders_free(s->senders);
	s->senders = new;
	s->senders_loaded++;
	fprintf(stderr, "underpind: authorities reloaded\n");
	return true;
}

/*
 * What this daemon asks others with is replaced as a whole, and only if what it shows and
 * whom it believes as a server was good, too: new connections are made with it, those that
 * are there end.
 */
static void reload_outgoing(struct server *s, bool sound)
{
	struct outgoing new;
	struct pol_err e = { "mend what is named above" };

	if (!sound || outgoing_load(&new, &s->d->conf, &e)) {
		fprintf(stderr, "underpind: others are asked as before: %s\n", e.msg);
		return;
	}
	http_renew(s->d->http);
	outgoing_free(&s->d->outgoing);
	s->d->outgoing = new;
}

static void on_signal(void *ctx, int fd, uint32_t events)
{
	struct signalfd_siginfo info;
	struct server *s = ctx;
	struct pol_err e;
	bool sound;

	(void)events;
	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		s->stop = true;
		return;
	}
	if (!reconfigure(s->d, &e))
		fprintf(stderr, "underpind: configuration reloaded\n");
	else
		fprintf(stderr, "underpind: the old configuration stays: %s\n", e.msg);
	sound = reload_identity(s);
	reload_keys(s->d);
	sound &= reload_senders(s);
	reload_outgoing(s, sound);
	reload(s);
}

static void on_mhd(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	((struct server *)ctx)->run_mhd = true;
}

static void run_mhd(struct server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (!s->run_mhd)
		return;
	s->run_mhd = false;
	MHD_run(s->mhd);
	/* What TLS has read already, no descriptor tells. */
	s->run_mhd |= MHD_get_timeout(s->mhd, &ms) == MHD_YES && !ms;
}

/*
 * Does what there is to do, and commits when there is no more: requests that
 * come together share the write to the disk.
 */
static void turn(struct server *s, int64_t max_ms)
{
	int i, n = 1;

	if (s->run_mhd || s->d->state.open)
		max_ms = 0;
	for (i = 0; i < ROUNDS_MAX && n > 0; i++) {
		n = loop_once(&s->d->loop, i ? 0 : max_ms);
		run_mhd(s);
	}
	if (state_commit(&s->d->state))
		METRIC_INC(&s->d->metrics, commit);
	run_mhd(s);
}

/* Lets the requests under way end. */
static int stop(struct server *s, struct pol_err *e)
{
	int fd = MHD_quiesce_daemon(s->mhd);
	int64_t until = loop_ms() + s->d->conf.deadline_ms + 1000, last;

	if (fd >= 0)
		close(fd);
	while (s->d->n_works && loop_ms() < until)
		turn(s, TICK_MS);
	for (last = loop_ms() + LINGER_MS; loop_ms() < last;)
		turn(s, LINGER_MS / 5);
	end_reloader(s);
	if (s->d->n_works)
		return pol_fail(e, ETIMEDOUT, "%u requests did not end in time", s->d->n_works);
	MHD_stop_daemon(s->mhd);
	return 0;
}

static int serve(struct server *s, struct pol_err *e)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	struct loop *l = &s->d->loop;

	if (!info || loop_watch(l, info->epoll_fd, EPOLLIN, on_mhd, s) ||
	    loop_watch(l, s->signals, EPOLLIN, on_signal, s))
		return pol_fail(e, EIO, "cannot wait: %m");
	s->tick.due = on_tick;
	loop_timer(l, &s->tick, TICK_MS);
	fprintf(stderr, "underpind: %s/%s listens on %s:%u\n", s->d->conf.cloud,
		pol_layer_name[s->d->conf.layer], s->d->conf.address, s->d->conf.port);
	while (!s->stop)
		turn(s, TICK_MS);
	return stop(s, e);
}

int server_run(struct daemon *d, struct pol_err *e)
{
	struct server *s = calloc(1, sizeof(*s));
	struct upload *u;
	sigset_t set;
	int ret;

	if (!s)
		return pol_fail(e, ENOMEM, "out of memory");
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->d = d;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	pthread_mutex_init(&s->reload_lock, NULL);
	ret = s->signals < 0 ? pol_fail(e, errno, "signals: %m") : start(s, e);
	if (!ret)
		ret = serve(s, e);
	loop_timer_end(&d->loop, &s->tick);
	for (u = s->upload; u < s->upload + UPLOADS_MAX; u++)
		if (u->fd)
			end_upload(u);
	senders_free(s->senders);
	identity_put(s->identity);
	close(s->signals);
	free(s);
	return ret;
}
