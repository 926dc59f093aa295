/* SPDX-License-Identifier: GPL-2.0-only */
/* The SLA module's enforcement point (S2.6): mapping, view, mediation, isolation. */
#ifndef POL_SLA_H
#define POL_SLA_H

#include "engine/decide.h"

/**
 * sla_consume() - may a held role ask a remote cloud, and as what there?
 * @p: the consumer's policy
 * @q: the local request; its user and attributes as for pep_decide()
 * @sla: index of the SLA by which the directory says the resource is released
 * @peer: name of the remote cloud
 * @role: role that the ACM's permit activated
 * @mapped: is that role itself one that an SLA mapped?
 * @remote: string number of the role there
 * @r: the reason, with the mediation rule as its assign; of a permit R_SLA_MAPPED,
 *     with the map and the part of the virtual view
 *
 * Return: whether the request may be sent.
 */
bool sla_consume(const struct pol_image *p, const struct pol_query *q, uint32_t sla,
		 const char *peer, uint32_t role, bool mapped, uint32_t *remote,
		 struct pol_reason *r);

/**
 * sla_provide() - which local role does a remote cloud's request get?
 * @p: the provider's policy
 * @q: the request; its user is not known here
 * @sla: index of the SLA that it names
 * @peer: name of the cloud that the connection's certificate proves
 * @remote: name of the role that it asserts
 * @mapped: has another SLA mapped it before?
 * @role: the local role, for pep_decide()
 * @r: as of sla_consume()
 *
 * The role is never more than the mapped one: a name that the SLA does not map
 * is refused. Source: S2.6, S2.7.
 *
 * Return: whether the ACM may be asked.
 */
bool sla_provide(const struct pol_image *p, const struct pol_query *q, uint32_t sla,
		 const char *peer, const char *remote, bool mapped, uint32_t *role,
		 struct pol_reason *r);

/**
 * sla_standing() - is an SLA in force at this instant?
 *
 * Checked again at the moment of allocation, so that a revocation takes effect
 * on requests under way too.
 */
bool sla_standing(const struct pol_image *p, uint32_t sla, const char *peer, int64_t now,
		  struct pol_reason *r);

#endif
