/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters, in the Prometheus text format. */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

/* Every counter: member, name, help. */
#define METRICS(X) \
	X(permit, "requests_permitted_total", "Requests that were permitted") \
	X(deny, "requests_denied_total", "Requests that were denied") \
	X(fail, "requests_failed_total", "Requests that could not be answered and may be retried") \
	X(malformed, "requests_malformed_total", "Bodies that are no message") \
	X(replay, "requests_replayed_total", "Messages refused as replays or as stale") \
	X(retry, "requests_retried_total", "Retries answered from memory") \
	X(ticket, "tickets_issued_total", "Tickets issued") \
	X(forward, "requests_forwarded_total", "Requests sent to other daemons") \
	X(overload, "requests_overload_total", "Requests refused because the queue was full") \
	X(commit, "commits_total", "Transactions of the state, each for all who waited for it") \
	X(reload, "policy_reloads_total", "Policies put in force by SIGHUP") \
	X(reload_bad, "policy_reloads_failed_total", "Reloads that left the old policy in force") \
	X(connections, "connections_total", "Connections accepted") \
	X(cut, "connections_cut_total", "Connections cut because they were too slow")

#define METRICS_BUCKETS	10
extern const uint32_t metrics_bucket_ms[METRICS_BUCKETS];

struct metrics {
#define X(member, name, help) uint64_t member;
	METRICS(X)
#undef X
	/* How long answers took: in each bucket those that no lower one has. */
	uint64_t took[METRICS_BUCKETS + 1], took_ms;
};

#define METRIC_INC(m, member) __atomic_fetch_add(&(m)->member, 1, __ATOMIC_RELAXED)

/* An answer that took so long. */
void metrics_took(struct metrics *m, uint64_t ms);

/* What is at this moment. */
struct metrics_now {
	uint32_t works, connections;
};

/**
 * metrics_text() - all counters as text
 * @now: gauges
 * @cloud: label
 * @layer: label
 *
 * Return: the text, to be freed, or NULL.
 */
char *metrics_text(const struct metrics *m, const struct metrics_now *now, const char *cloud,
		   const char *layer);

#endif
