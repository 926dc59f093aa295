#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The scenarios of the AuthZEN 1.0 certification, by their ids, against a daemon.

authzen.py HOST CA CERT KEY: prints TAP. The policy is tests/policy/authzen.
"""
import http.client
import json
import ssl
import sys

HOST, CA, CERT, KEY = sys.argv[1:5]
context = ssl.create_default_context(cafile=CA)
context.load_cert_chain(CERT, KEY)
link = http.client.HTTPSConnection(HOST, 8443, context=context, timeout=20)
done, failed = 0, 0


def ask(path, body, method="POST", headers=None):
    headers = {"Content-Type": "application/json", **(headers or {})}
    link.request(method, path, body if body is None or isinstance(body, (str, bytes)) else
                 json.dumps(body), headers)
    answer = link.getresponse()
    text = answer.read()
    try:
        return answer.status, json.loads(text), answer.headers
    except ValueError:
        return answer.status, text, answer.headers


def result(good, name, more=""):
    global done, failed
    done += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {done} - {name}")
    if not good and more:
        print(f"# {more}")


def subject(name, **properties):
    return {"type": "user", "id": name, **({"properties": properties} if properties else {})}


def resource(name, **properties):
    return {"type": "record", "id": name, **({"properties": properties} if properties else {})}


def action(name, **properties):
    return {"name": name, **({"properties": properties} if properties else {})}


def rq(s, a, r, **more):
    return {k: v for k, v in {"subject": s, "action": a, "resource": r, **more}.items()
            if v is not None}


ALICE, BOB = subject("alice"), subject("bob")
READ, WRITE = action("read"), action("write")
ONE, TWO = resource("record-1"), resource("record-2")
ARCHIVED = resource("record-2", status="archived")
ADMIN = subject("bob", role="admin")
WHEN = {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH = "/access/v1/search/"


def decides(name, want, body, path=EVALUATION):
    status, j, head = ask(path, body)
    result(status == 200 and j.get("decision") is want and isinstance(j.get("context"), dict) and
           head["Content-Type"] == "application/json", name, f"{status} {j}")
    return j


def batch(name, want, body):
    status, j, _ = ask(EVALUATIONS, body)
    got = [e.get("decision") for e in j.get("evaluations", [])] if status == 200 else None
    result(got is not None and len(got) == len(want) and
           all(w is None and isinstance(g, bool) or w is g for g, w in zip(got, want)) and
           "decision" not in j, name, f"{status} {j}")


def refuses(name, bodies, path=EVALUATION):
    got = [ask(path, b)[0] for b in bodies]
    result(all(g == 400 for g in got), name, f"{got}")


def finds(name, what, want, body):
    status, j, _ = ask(SEARCH + what, body)
    key = "name" if what == "action" else "id"
    got = {r[key] for r in j["results"]} if status == 200 else None
    result(got == set(want) and (what == "action" or all(set(r) == {"type", "id"}
           for r in j["results"])), name, f"{status} {j}")
    return j


decides("c-2-2-1 permit", True, rq(ALICE, READ, ONE))
why = decides("c-2-2-2 deny", False, rq(BOB, WRITE, ONE))
decides("c-2-2-3 with a context", True, rq(ALICE, READ, ONE, context=WHEN))
decides("c-2-2-4 deny, by a resource's property", False, rq(ALICE, WRITE, ARCHIVED))
decides("c-2-2-5 permit, by a subject's property", True, rq(ADMIN, WRITE, ARCHIVED))
decides("c-2-2-6 permit, by an action's property", True, rq(ALICE, action("delete", soft=True), ONE))
decides("c-2-2-7 deny, by an action's property", False, rq(ALICE, action("delete", soft=False), ONE))
decides("c-2-2-8 with other properties", True, rq(
    subject("alice", department="Sales", role="manager"), action("read", method="GET"),
    resource("record-1", status="active", owner="bob")))
decides("c-2-2-9 with unknown fields", True,
        rq(ALICE, READ, ONE, foo="bar", futureField={"nested": True}))
result(isinstance(why.get("decision"), bool) and why["context"]["reasons"][0]["code"] ==
       "rule-condition", "c-2-3 a decision, with its reasons in the context", f"{why}")
refuses("c-2-4 missing fields, missing members, other types", [
    rq(None, READ, ONE), rq(ALICE, None, ONE), rq(ALICE, READ, None),
    rq({"id": "alice"}, READ, ONE), rq({"type": "user"}, READ, ONE), rq(ALICE, {}, ONE),
    rq(ALICE, READ, {"id": "record-1"}), rq(ALICE, READ, {"type": "record"}),
    "{not json", "", rq("alice", READ, ONE), rq(ALICE, {"name": 123}, ONE), "[]",
    rq(ALICE, READ, ONE, context="x"), rq({**ALICE, "properties": 1}, READ, ONE)])
status, _, _ = ask(EVALUATION, json.dumps(rq(ALICE, READ, ONE)),
                   headers={"Content-Type": "text/plain"})
result(status == 400, "c-2-4 another content type", f"{status}")
_, _, head = ask(EVALUATION, rq(ALICE, READ, ONE), headers={"X-Request-ID": "a-1.b"})
_, _, none = ask(EVALUATION, rq(ALICE, READ, ONE))
_, _, bad = ask(EVALUATION, "{", headers={"X-Request-ID": "c2"})
result(head["X-Request-ID"] == "a-1.b" and none["X-Request-ID"] is None and
       bad["X-Request-ID"] == "c2", "c-2-5 X-Request-ID comes back", f"{head} {none} {bad}")
result(len({ask(EVALUATION, rq(BOB, WRITE, ONE))[1]["decision"] for _ in range(5)}) == 1,
       "c-2-6 the same again is decided alike")

batch("c-3-2-1 several", [True, True],
      {"subject": ALICE, "action": READ, "evaluations": [{"resource": ONE}, {"resource": TWO}]})
batch("c-3-2-2 in their order", [True, False],
      {"subject": BOB, "resource": ONE, "evaluations": [{"action": READ}, {"action": WRITE}]})
batch("c-3-2-3 with properties of resources", [True, False],
      {"subject": ALICE, "action": WRITE, "evaluations": [
          {"resource": resource("record-1", status="active")}, {"resource": ARCHIVED}]})
batch("c-3-2-4 with properties of subjects", [False, True],
      {"action": WRITE, "resource": ARCHIVED, "evaluations": [
          {"subject": ALICE}, {"subject": ADMIN}]})
batch("c-3-2-5 without defaults", [True, False],
      {"evaluations": [rq(ALICE, READ, ONE), rq(BOB, WRITE, ONE)]})
batch("c-3-2-6 with contexts", [None, None],
      {"subject": ALICE, "action": READ, "context": WHEN, "evaluations": [
          {"resource": ONE}, {"resource": TWO, "context": {"source": "batch-override"}}]})
batch("c-3-2-7 with defaults, and entities that replace them", [True, False],
      {"subject": ALICE, "action": WRITE, "resource": resource("record-1", status="active"),
       "evaluations": [{}, {"resource": ARCHIVED}]})
batch("c-3-3 as many, and in their order", [i % 2 == 0 for i in range(20)],
      {"subject": BOB, "resource": ONE, "evaluations": [
          {"action": WRITE if i % 2 else READ} for i in range(20)]})
batch("c-3-4-1 one that is malformed", [True, False],
      {"subject": ALICE, "action": READ, "options": {"evaluations_semantic": "execute_all"},
       "evaluations": [{"resource": ONE}, {}]})
decides("c-3-4-2 no list", True, rq(ALICE, READ, ONE), EVALUATIONS)
decides("c-3-4-3 an empty list", True, rq(ALICE, READ, ONE, evaluations=[]), EVALUATIONS)
refuses("c-3-4 a list that is none, too many, another semantic", [
    rq(ALICE, READ, ONE, evaluations=1), rq(ALICE, READ, ONE, evaluations=[{}] * 257),
    rq(ALICE, READ, ONE, evaluations=[{}], options={"evaluations_semantic": "some"})],
    EVALUATIONS)
for name, want in ("deny_on_first_deny", [True, False]), ("permit_on_first_permit", [True]):
    batch(f"semantic {name}", want,
          {"subject": BOB, "resource": ONE, "options": {"evaluations_semantic": name},
           "evaluations": [{"action": READ}, {"action": WRITE}, {"action": READ}]})

both = ["alice", "bob"]
finds("c-4-2-1 subjects", "subject", both, rq({"type": "user"}, READ, ONE))
finds("c-4-2-2 with a context", "subject", both, rq({"type": "user"}, READ, ONE, context=WHEN))
finds("c-4-2-3 an id that is ignored", "subject", both, rq(ALICE, READ, ONE))
finds("c-4-2-4 by a resource's property", "subject", ["bob"],
      rq({"type": "user"}, WRITE, ARCHIVED))
records = ["record-1", "record-2"]
finds("c-4-3-1 resources", "resource", records, rq(ALICE, READ, {"type": "record"}))
finds("c-4-3-2 with a context", "resource", records,
      rq(ALICE, READ, {"type": "record"}, context=WHEN))
finds("c-4-3-3 an id that is ignored", "resource", records, rq(ALICE, READ, ONE))
finds("c-4-3-4 by a subject's property", "resource", ["record-2"],
      rq(ADMIN, WRITE, {"type": "record"}))
finds("c-4-4-1 actions", "action", ["read", "write"], rq(ALICE, None, ONE))
finds("c-4-4-2 with a context", "action", ["read", "write"], rq(ALICE, None, ONE, context=WHEN))
finds("c-4-4-3 by properties", "action", ["read", "write"], rq(ADMIN, None, ARCHIVED))
pages, token = [], None
while token != "":
    page = {"limit": 1} if token is None else {"limit": 1, "token": token}
    status, j, _ = ask(SEARCH + "subject", rq({"type": "user"}, READ, ONE, page=page))
    pages += [r["id"] for r in j["results"]]
    token = j["page"]["next_token"]
result(pages == both, "c-4-5 pages", f"{pages}")
refuses("c-4-5 pages that are none", [
    rq({"type": "user"}, READ, ONE, page=p) for p in
    ({"limit": 0}, {"limit": "x"}, {"token": "1"}, {"token": "0" * 16 + ":1"}, [])],
    SEARCH + "subject")
none = [finds(f"c-4-6 nothing: {w}", w, [], b) for w, b in (
    ("action", rq(subject("nobody"), None, ONE)), ("subject", rq({"type": "spaceship"}, READ, ONE)),
    ("subject", rq({"type": "user"}, READ, resource("record-9"))),
    ("resource", rq(ALICE, READ, {"type": "planet"})),
    ("action", rq(ALICE, None, {"type": "planet", "id": "x"})))]
refuses("c-4-7 subjects", [rq({"type": "user"}, None, ONE), rq({"type": "user"}, READ,
        {"type": "record"}), rq({}, READ, ONE)], SEARCH + "subject")
refuses("c-4-7 resources", [rq(None, READ, {"type": "record"}),
        rq({"type": "user"}, READ, {"type": "record"})], SEARCH + "resource")
refuses("c-4-7 actions", [rq(ALICE, None, None), rq({"type": "user"}, None, ONE)],
        SEARCH + "action")

status, j, head = ask("/.well-known/authzen-configuration", None, "GET")
result(status == 200 and head["Content-Type"] == "application/json" and
       j["policy_decision_point"] == f"https://{HOST}:8443" and
       j["access_evaluation_endpoint"] == f"https://{HOST}:8443{EVALUATION}" and
       all(v.startswith("https://") for v in j.values()) and len(j) == 6,
       "c-6 what there is, and where", f"{status} {j}")

j = decides("an attribute of another type", False, rq(ALICE, action("delete", soft="perhaps"), ONE))
result(j["context"]["reasons"][0]["code"] == "bad-attribute", "and why", f"{j}")
j = decides("a user whom nobody knows", False, rq(subject("nobody"), READ, ONE))
result(j["context"]["reasons"][0]["code"] == "no-credential", "and why", f"{j}")
decides("nobody gives a sheet's attribute", False,
        rq(ALICE, WRITE, {**TWO, "properties": {"resource.status": "active"}},
           context={"resource.status": "active"}))
print(f"1..{done}")
sys.exit(failed > 0)
