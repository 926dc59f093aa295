// SPDX-License-Identifier: GPL-2.0-only
// The same policy and requests for casbin and Cedar: bench.cjs casbin|cedar DIR LIMIT
'use strict';
const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');
const need = createRequire(path.join(process.cwd(), 'x.js'));
const [engine, dir, limit] = process.argv.slice(2);
const read = (name, sep) => fs.readFileSync(path.join(dir, name), 'utf8').trim().split('\n')
	.map((l) => l.split(sep));
const assigns = read('assignments.csv', ',');
const permits = read('permissions.csv', ',');
const requests = read('requests.tsv', '\t').slice(0, Number(limit));
const parent = (g) => { const n = Number(g.slice(5)); return n % 10 ? `group${n - (n % 10)}` : null; };

function report(load, lat, permitted) {
	lat.sort((a, b) => a - b);
	const us = (q) => (lat[Math.floor(lat.length * q)] / 1e3).toFixed(3);
	const rss = (process.memoryUsage().rss / 1048576).toFixed(1);
	console.log([engine, assigns.length + permits.length, us(0.5), us(0.99), load.toFixed(1), rss].join('\t'));
	console.error(`${engine}: ${permitted} of ${requests.length} permitted`);
}

// Roles by g, hierarchy by g, the condition in the matcher.
async function casbin() {
	const { newEnforcer, newModelFromString, StringAdapter } = need('casbin');
	const model = `
[request_definition]
r = sub, obj, act, purpose, level
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.obj == p.obj && r.act == p.act && g(r.sub, p.sub) && (r.purpose == "production" || r.purpose == "repair") && r.level >= 2
`;
	const t0 = process.hrtime.bigint();
	const lines = permits.map(([g, d, a]) => `p, ${g}, ${d}, ${a}`);
	for (const [g] of permits) if (parent(g)) lines.push(`g, ${g}, ${parent(g)}`);
	for (const [u, g] of assigns) lines.push(`g, ${u}, ${g}`);
	const e = await newEnforcer(newModelFromString(model), new StringAdapter(lines.join('\n')));
	const load = Number(process.hrtime.bigint() - t0) / 1e6;
	const level = new Map(assigns.map(([u, , l]) => [u, Number(l)]));
	const lat = [];
	let permitted = 0;
	for (const [u, d, a, why] of requests) {
		const t = process.hrtime.bigint();
		permitted += await e.enforce(u, d, a, why, level.get(u)) ? 1 : 0;
		lat.push(Number(process.hrtime.bigint() - t));
	}
	report(load, lat, permitted);
}

// A policy a permission, parsed beforehand; the entities of the request with each call.
async function cedar() {
	const c = need('@cedar-policy/cedar-wasm/nodejs');
	const t0 = process.hrtime.bigint();
	const text = permits.map(([g, d, a]) =>
		`permit(principal in Group::"${g}", action == Action::"${a}", resource == Data::"${d}")` +
		' when { ["production","repair"].contains(context.purpose) && principal.level >= 2 };').join('\n');
	const r = c.preparsePolicySet('bench', { staticPolicies: text });
	if (r.type !== 'success') throw new Error(JSON.stringify(r).slice(0, 300));
	const user = new Map(assigns.map(([u, g, l]) => [u, { group: g, level: Number(l) }]));
	const load = Number(process.hrtime.bigint() - t0) / 1e6;
	const lat = [];
	let permitted = 0;
	for (const [u, d, a, why] of requests) {
		const { group, level } = user.get(u);
		const up = parent(group);
		const t = process.hrtime.bigint();
		const ans = c.statefulIsAuthorized({
			principal: { type: 'User', id: u }, action: { type: 'Action', id: a },
			resource: { type: 'Data', id: d }, context: { purpose: why },
			preparsedPolicySetId: 'bench', validateRequest: false,
			entities: [
				{ uid: { type: 'User', id: u }, attrs: { level }, parents: [{ type: 'Group', id: group }] },
				{ uid: { type: 'Group', id: group }, attrs: {}, parents: up ? [{ type: 'Group', id: up }] : [] },
			],
		});
		lat.push(Number(process.hrtime.bigint() - t));
		if (ans.type !== 'success') throw new Error(JSON.stringify(ans).slice(0, 300));
		permitted += ans.response.decision === 'allow' ? 1 : 0;
	}
	report(load, lat, permitted);
}

(engine === 'casbin' ? casbin() : cedar()).catch((e) => { console.error(String(e)); process.exit(1); });
