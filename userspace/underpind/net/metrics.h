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

struct metrics {
#define X(member, name, help) uint64_t member;
	METRICS(X)
#undef X
	uint64_t answer_us_sum, answer_count;
};

#define METRIC_INC(m, member) __atomic_fetch_add(&(m)->member, 1, __ATOMIC_RELAXED)

/**
 * metrics_text() - all counters as text
 * @cloud: label
 * @layer: label
 *
 * Return: the text, to be freed, or NULL.
 */
char *metrics_text(const struct metrics *m, const char *cloud, const char *layer);

#endif
