# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the suites that break things share; after world.sh, with W set.

n=0 bad=0
result() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else
	bad=$((bad + 1)); echo "not ok $n - $2"; [ -z "${3:-}" ] || echo "$3" | sed 's/^/# /'; fi; }
id() { local u; read -r u < /proc/sys/kernel/random/uuid; echo "${u//-/}"; }
E="east application"

# Every way that a request of type 1, 2 or 3 takes in this world, and its daemons.
declare -A WAY=(
	[web-1]="east:application east:platform east:infrastructure"
	[west-app]="east:application west:application west:platform west:infrastructure"
	[web-deep]="east:application east:platform west:platform west:infrastructure"
	[west-vm]="east:application west:infrastructure"
)
owner() { case $1 in web-[123]) echo east ;; *) echo west ;; esac; }

# What must hold at any time of an infrastructure layer's database: prints what does not.
invariants_of() { # DATABASE
	sqlite3 "$1" ".timeout 2000" "
		CREATE TEMP VIEW granted AS SELECT n, json_extract(record,'\$.id') AS id,
		 json_extract(record,'\$.resource') AS resource, json_extract(record,'\$.action') AS action
		 FROM audit WHERE json_extract(record,'\$.event')='granted';
		CREATE TEMP VIEW counts AS SELECT resource, sum(action='provision') AS given,
		 sum(action='release') AS back FROM granted GROUP BY resource;
		SELECT 'ticket without audit: '||request FROM ticket WHERE request NOT IN (SELECT id FROM granted);
		SELECT 'granted without ticket: '||id FROM granted WHERE action='provision' AND
		 id NOT IN (SELECT request FROM ticket);
		SELECT 'allocation without ticket: '||resource FROM allocation WHERE request NOT IN
		 (SELECT request FROM ticket);
		SELECT 'granted twice: '||id FROM granted GROUP BY id HAVING count(*)>1;
		SELECT 'given twice at once: '||resource||' at record '||n FROM (SELECT n, resource,
		 sum((action='provision')-(action='release')) OVER (PARTITION BY resource ORDER BY n) AS held
		 FROM granted) WHERE held NOT IN (0,1);
		SELECT 'tickets: '||t.resource||' has '||count(DISTINCT t.ticket)||', given '||ifnull(given,0)
		 FROM ticket t LEFT JOIN counts c ON c.resource=t.resource GROUP BY t.resource
		 HAVING count(DISTINCT t.ticket)<>ifnull(given,0);
		SELECT 'allocations: '||resource||' given '||given||', back '||back FROM counts c WHERE
		 given-back<>(SELECT count(*) FROM allocation a WHERE a.resource=c.resource);
		SELECT 'bad: '||integrity_check FROM pragma_integrity_check WHERE integrity_check<>'ok'"
}

audit_of() { # CLOUD LAYER: what is wrong with its log
	"$OUT/underpin-policy" audit verify "$W/$1-$2.db" "$W/$1-audit.pub" > /dev/null 2> "$W/v" ||
		echo "$1 $2: $(cat "$W/v")"
}

invariants() { # [all]: of both clouds; of all audit logs too
	local c l q
	for c in east west; do
		q=$(invariants_of "$W/$c-infrastructure.db" 2>&1)
		[ -z "$q" ] || echo "$c: $q"
		[ -z "${1:-}" ] || for l in $LAYERS; do audit_of $c $l; done
	done
}

# That the invariants are looked for: a copy of a database, broken, must not pass.
invariants_find() { # NAME SQL
	local q
	sqlite3 "$W/west-infrastructure.db" ".timeout 2000" ".backup $W/broken.db"
	sqlite3 "$W/broken.db" "$2"
	q=$(invariants_of "$W/broken.db" 2>&1)
	rm -f "$W/broken.db"
	[ -n "$q" ]; result $? "the invariants find $1: ${q%%$'\n'*}"
}

invariants_self_test() { # with a granted west-vm in the database
	local copy="INSERT INTO audit(n, record, hash, signature) SELECT (SELECT max(n) FROM audit) + 1,
		json_set(record, '\$.id', 'again'), hash, signature FROM audit
		WHERE json_extract(record,'\$.event')='granted' AND json_extract(record,'\$.action')='provision'"
	invariants_find "a second ticket" "INSERT INTO ticket SELECT 'again', x'00', resource, time FROM ticket LIMIT 1"
	invariants_find "a second ticket that is in the log" "INSERT INTO ticket SELECT 'again', x'00', resource,
		time FROM ticket LIMIT 1; $copy LIMIT 1"
	invariants_find "a ticket lost" "DELETE FROM ticket WHERE request=(SELECT request FROM ticket LIMIT 1)"
	invariants_find "an allocation lost" "DELETE FROM allocation"
	invariants_find "an allocation too many" "INSERT INTO allocation
		SELECT 'x', 'x', host, cloud, 'x', 0, 0 FROM
		allocation LIMIT 1"
}

tickets() { sqlite3 "$W/$1-infrastructure.db" ".timeout 2000" "SELECT count(*) FROM ticket WHERE request='$2'"; }

# A request, retried with its id until it is answered for good.
insist() { # ARGS of ask
	local i
	for i in 1 2 3 4 5 6; do
		ask "$@" > "$W/o" 2>&1
		case $? in 0) return 0 ;; 1) return 1 ;; esac
		sleep 0.2
	done
	return 4
}

# The end of each case: the same request is granted, once, and given back.
recovers() { # RESOURCE ID: prints what is wrong
	local r=$1 i=$2 at
	at=$(owner "$r")
	rm -f "$W/t"
	insist alice $E -a provision -r "$r" --id "$i" -O "$W/t" || echo "no grant afterwards: $(tail -2 "$W/o")"
	[ "$(tickets "$at" "$i")" = 1 ] || echo "tickets: $(tickets "$at" "$i")"
	"$OUT/underpin-policy" ticket verify "$W/t" "$W/$at-ticket.pub" > /dev/null 2>&1 || echo "ticket bad"
	insist alice $E -a release -r "$r" --id "$(id)" || echo "no release: $(tail -2 "$W/o")"
	invariants
}

# --- programs that stand between two daemons ---
declare -A BETWEEN
between_make() {
	tests/lib/build -f userspace/policy/policy.mk build/policy/policy-proxy build/policy/policy-middle >&2
}
through_proxies() { # each daemon is reached through what stands before it
	local c l
	for c in east west; do for l in $LAYERS; do
		sed -i "s|= https://$(addr $c $l):|= https://$(proxied $c $l):|" "$W"/*.conf
	done; done
}
stand() { # CLOUD LAYER PROGRAM...: stands before a daemon, in place of another
	local k=$1:$2
	leave "$k"
	said=$W/said.$k	# what it says
	rm -f "$said"
	ip netns exec "$(ns "$1" "$2")" "${@:3}" > "$said" 2>&1 &
	BETWEEN[$k]=$!
	for _ in {1..40}; do
		grep -q ready "$said" 2> /dev/null && return
		sleep 0.05
	done
	echo "$*: $(cat "$said")" >&2
}
leave() { [ -n "${BETWEEN[$1]:-}" ] || return 0
	kill "${BETWEEN[$1]}"; wait "${BETWEEN[$1]}" 2>/dev/null; unset "BETWEEN[$1]"; }
proxy() { # CLOUD LAYER MODE N [MS]
	stand "$1" "$2" "$OUT/policy-proxy" "$(proxied "$1" "$2")" 8443 "$(addr "$1" "$2")" 8443 "${@:3}"
}
middle() { # CLOUD LAYER ASKER-CLOUD ASKER-LAYER MODE N
	stand "$1" "$2" "$OUT/policy-middle" "$(proxied "$1" "$2")" 8443 "$(addr "$1" "$2")" 8443 \
		"$W/$1-$2.pem" "$W/$1-$2.key" "$W/$3-$4.pem" "$W/$3-$4.key" "${@:5}"
}
proxies_up() { # after world_up
	local at
	for at in east:platform east:infrastructure west:application west:platform west:infrastructure; do
		ip -n "$(ns "${at%:*}" "${at#*:}")" addr add "$(proxied "${at%:*}" "${at#*:}")/16" dev eth0
		proxy "${at%:*}" "${at#*:}" count 0
	done
}
proxies_down() { local k; for k in "${!BETWEEN[@]}"; do leave "$k"; done; }

# --- daemons killed at each step that the sources name ---
FORWARDS="received decided begun forwarded finished answered"
ALLOCATES="received decided begun allocated committed finished answered"

died_at() { # CLOUD LAYER: the point's exit code
	local k
	for k in {1..20}; do
		kill -0 "${PID[$1-$2]}" 2>/dev/null || break
		sleep 0.05
	done
	[ "$k" -lt 20 ] || return 1
	wait "${PID[$1-$2]}"
	[ $? = 70 ]
}

killed() { # CLOUD LAYER POINT RESOURCE
	local c=$1 l=$2 p=$3 r=$4 i why=
	i=$(id)
	daemon_down "$c" "$l" KILL
	daemon_up "$W" "$c" "$l" UNDERPIND_FAULT="$p" || return 1
	ask alice $E -a provision -r "$r" --id "$i" > "$W/first" 2>&1
	died_at "$c" "$l" || why="the daemon did not die at $p: $(tail -2 "$W/first")"
	daemon_down "$c" "$l" KILL
	why="$why$(invariants)"
	daemon_up "$W" "$c" "$l" || return 1
	why="$why$(audit_of "$c" "$l")$(recovers "$r" "$i")"
	[ -z "$why" ]; result $? "$r: $c $l dies when it has $p" "$why"
}
kill_each() { # RESOURCE: each daemon on its way, at each step
	local at points p
	for at in ${WAY[$1]}; do
		points=$FORWARDS
		[ "${at#*:}" != infrastructure ] || points=$ALLOCATES
		for p in $points; do killed "${at%:*}" "${at#*:}" "$p" "$1"; done
	done
	[ -z "$(invariants all)" ]; result $? "$1: all logs are whole" "$(invariants all)"
}

no_sanitizer_report() {
	grep -lE "ERROR: (Address|Leak)Sanitizer|runtime error" "$W"/*.log > "$W/san"
	[ ! -s "$W/san" ]; result $? "no sanitizer report in any daemon" \
		"$(grep -hE "SUMMARY|runtime error" "$W"/*.log | head -3)"
}
