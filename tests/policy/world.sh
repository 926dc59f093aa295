# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Two clouds of three layers, each daemon in a network namespace of its own,
# joined by a bridge in one more; for the scenario suites and "make clouds".
#
# world_make DIR     keys, certificates, configurations, directories, definitions
# world_up DIR       namespaces and daemons
# world_down DIR     all of it gone
# ask USER CLOUD LAYER ARGS...   a request, as "underpin policy request"

TOP=${TOP:-$PWD}
OUT=${OUT:-$TOP/build/policy}
POLICIES=${POLICIES:-$TOP/tests/policy/clouds}
DAEMON=${DAEMON:-$OUT/underpind}
TAG=${TAG:-up$$}			# of namespace names: several worlds may exist
LAYERS="application platform infrastructure"
declare -A NET=([east]=10.77.1 [west]=10.77.2) NUM=([application]=1 [platform]=2 [infrastructure]=3)
declare -A PID

addr() { echo "${NET[$1]}.${NUM[$2]}"; }
proxied() { echo "${NET[$1]}.1${NUM[$2]}"; }	# where the fault suite puts a proxy
ns() { echo "$TAG-${1:0:1}${NUM[$2]}"; }
uuid() { local h; h=$(printf %s "$1" | sha256sum); echo "${h:0:8}-${h:8:4}-4${h:13:3}-8${h:17:3}-${h:20:12}"; }

authority() { # DIR CLOUD
	openssl req -x509 -newkey ed25519 -nodes -days 30 -subj "/CN=$2 CA" \
		-keyout "$1/$2-ca.key" -out "$1/$2-ca.pem" 2>/dev/null
}

certificate() { # DIR CLOUD NAME SUBJECT [IP[,IP:IP...]] [DAYS]
	openssl req -new -newkey ed25519 -nodes -subj "$4" -keyout "$1/$3.key" \
		-out "$1/$3.csr" 2>/dev/null
	openssl x509 -req -in "$1/$3.csr" -CA "$1/$2-ca.pem" -CAkey "$1/$2-ca.key" \
		-CAcreateserial -days "${6:-30}" -out "$1/$3.pem" \
		-extfile <(if [ -n "${5:-}" ]; then echo "subjectAltName=IP:$5"; else
			echo "subjectAltName=DNS:none"; fi) 2>/dev/null
	rm -f "$1/$3.csr"
}

conf() { # DIR CLOUD LAYER PEER
	local d=$1 c=$2 l=$3 p=$4 k
	cat <<-END
	cloud = $c
	layer = $l
	listen = $(addr "$c" "$l"):8443
	certificate = $d/$c-$l.pem
	key = $d/$c-$l.key
	trust = $d/trust.pem
	state = $d/$c-$l.db
	policy = $d/policy-$c
	directory = ${DIRECTORY:-sqlite:$d/$c-$l.dir}
	audit-key = $d/$c-audit.key
	jwt-issuer = https://id.$c.example
	jwt-audience = underpind
	jwt-key = $d/jwt.pub
	own.issuer = CN=$c CA
	own.ca = $d/$c-ca.pem
	peer.$p.issuer = CN=$p CA
	peer.$p.ca = $d/$p-ca.pem
	END
	for k in $LAYERS; do
		echo "own.$k = https://$(addr "$c" "$k"):8443"
		echo "peer.$p.$k = https://$(addr "$p" "$k"):8443"
	done
	if [ "$l" = infrastructure ]; then
		echo "provider = dir:$d/$c-hosts"
		echo "ticket-key = $d/$c-ticket.key"
		echo "root-image = $(printf image | sha256sum | cut -c1-64)"
	fi
	cat "$d/conf-extra" 2>/dev/null || true
}

host() { # DIR CLOUD HOST VM...
	local d=$1/$2-hosts/$3 v u
	mkdir -p "$d"
	printf '%s' "$2/$3" | sha256sum | cut -c1-64 > "$d/identity"
	openssl rand -hex 32 > "$d/nonce"
	for v in "${@:4}"; do
		u=$(uuid "$2/$v")
		echo "<domain type='kvm'><name>$v</name><uuid>$u</uuid><memory>1048576</memory></domain>" \
			> "$d/$u.xml"
	done
}

entry() { local IFS=$'\t'; echo "$*"; }
device() { entry "$2" device "$3/$(uuid "$1/$2")"; }

tables() { # DIR: what each layer's directory holds
	local d=$1 i
	{
		for i in 1 2 3; do entry web-$i lower env-$i; done
		entry web-dangling lower env-x
		entry web-deep lower west-env
		entry west-app remote west-app west application main
		entry west-loop remote west-loop west application loop
		entry west-chain remote west-chain west application chain
		for i in vm hidden there-nodef crowded unknown; do
			entry west-$i remote west-$i west infrastructure main
		done
		entry west-shared remote west-shared west infrastructure isolated
		entry west-nosla remote west-nosla west infrastructure absent
		for i in unseen unmapped revoked expired future unmediated timed conditional side \
			peer there-nosla there-revoked there-expired there-future there-unmapped \
			there-unmediated there-timed there-conditional there-norole there-side \
			there-peer; do
			entry west-$i remote west-$i west infrastructure $i
		done
	} > "$d/east-application.tsv"
	{
		for i in 1 2 3; do entry env-$i lower vm-$i; done
		entry west-env remote west-env west platform main
	} > "$d/east-platform.tsv"
	{ device east vm-1 h1; device east vm-2 h2; device east vm-3 h2; } \
		> "$d/east-infrastructure.tsv"
	{
		entry west-app lower west-env
		entry west-loop remote west-loop east application back
		entry west-chain remote west-chain north application onward
	} > "$d/west-application.tsv"
	entry west-env lower west-vm > "$d/west-platform.tsv"
	{
		device west west-vm h1
		device west west-shared h2
		device west west-crowded h3
		device west west-own h3
		device west west-there-nodef h2
		for i in hidden there-revoked there-expired there-future there-unmapped \
			there-unmediated there-timed there-conditional there-norole; do
			device west west-$i h2
		done
	} > "$d/west-infrastructure.tsv"
}

world_make() {
	local d=$1 c l p u
	mkdir -p "$d"
	for c in east west; do
		authority "$d" $c
		openssl genpkey -algorithm ed25519 -out "$d/$c-audit.key"
		openssl genpkey -algorithm ed25519 -out "$d/$c-ticket.key"
		for k in audit ticket; do
			openssl pkey -in "$d/$c-$k.key" -pubout -out "$d/$c-$k.pub"
		done
		cp -r "$POLICIES/$c" "$d/policy-$c"
		for l in $LAYERS; do
			certificate "$d" $c $c-$l "/O=underpind/OU=$l/CN=$c $l" \
				"$(addr $c $l),IP:$(proxied $c $l)"
		done
	done
	openssl genpkey -algorithm ed25519 -out "$d/jwt.key"
	openssl pkey -in "$d/jwt.key" -pubout -out "$d/jwt.pub"
	cat "$d"/*-ca.pem > "$d/trust.pem"
	for u in alice bob carol dave erin frank grace heidi ivan mallory; do
		certificate "$d" east $u "/O=east/CN=$u"
	done
	certificate "$d" west wendy "/O=west/CN=wendy"
	host "$d" east h1 vm-1
	host "$d" east h2 vm-2 vm-3
	host "$d" west h1 west-vm
	host "$d" west h2 west-shared west-hidden
	host "$d" west h3 west-crowded west-own
	tables "$d"
	for c in east west; do
		p=west; [ $c = west ] && p=east
		for l in $LAYERS; do conf "$d" $c $l $p > "$d/$c-$l.conf"; done
	done
}

net_up() {
	local c l n
	ip netns add "$TAG-hub"
	ip -n "$TAG-hub" link add br0 type bridge
	ip -n "$TAG-hub" link set br0 up
	for c in east west; do for l in $LAYERS; do net_join "$(ns $c $l)" "$(addr $c $l)"; done; done
	net_join "$TAG-user" 10.77.3.1
}

net_join() { # NAMESPACE ADDRESS
	ip netns add "$1"
	ip link add "$1" netns "$TAG-hub" type veth peer name eth0 netns "$1"
	ip -n "$TAG-hub" link set "$1" master br0 up
	ip -n "$1" addr add "$2/16" dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" link set lo up
}

daemon_up() { # DIR CLOUD LAYER [ENV=VALUE...]
	local d=$1 n=$2-$3 i
	ip netns exec "$(ns "$2" "$3")" env "${@:4}" "$DAEMON" -c "$d/$n.conf" 2>> "$d/$n.log" &
	PID[$n]=$!
	for i in $(seq 100); do
		grep -q "listens" "$d/$n.log" 2>/dev/null && \
			ip netns exec "$(ns "$2" "$3")" ss -ltn | grep -q :8443 && return 0
		kill -0 "${PID[$n]}" 2>/dev/null || break
		sleep 0.05
	done
	echo "daemon $n does not start:" >&2; tail -3 "$d/$n.log" >&2
	return 1
}

daemon_down() { # CLOUD LAYER [SIGNAL]
	local n=$1-$2
	[ -n "${PID[$n]:-}" ] || return 0
	kill "-${3:-TERM}" "${PID[$n]}" 2>/dev/null
	wait "${PID[$n]}" 2>/dev/null
	unset "PID[$n]"
}

world_up() {
	local d=$1 c l
	net_up
	for c in east west; do for l in $LAYERS; do
		"$DAEMON" -c "$d/$c-$l.conf" --import "$d/$c-$l.tsv" || return 1
		daemon_up "$d" $c $l || return 1
	done; done
}

world_down() {
	local c l n
	for c in east west; do for l in $LAYERS; do daemon_down $c $l; done; done
	for n in $(ip netns list 2>/dev/null | cut -d' ' -f1 | grep "^$TAG-"); do ip netns del "$n"; done
}

ask() { # USER CLOUD LAYER ARGS...
	local u=$1 c=$2 l=$3
	shift 3
	ip netns exec "$TAG-user" "$OUT/underpin-policy" request --url "https://$(addr $c $l):8443" \
		--cert "$W/$u.pem" --key "$W/$u.key" --ca "$W/$c-ca.pem" "$@"
}

b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

token() { # SUBJECT GROUPS-JSON [KEY] [EXP] [AUD]
	local h b s f
	f=$(mktemp)
	h=$(printf '{"alg":"EdDSA","typ":"JWT"}' | b64url)
	b=$(printf '{"iss":"https://id.east.example","sub":"%s","aud":"%s","exp":%s,"groups":%s}' \
		"$1" "${5:-underpind}" "${4:-$(($(date +%s) + 300))}" "$2" | b64url)
	printf '%s.%s' "$h" "$b" > "$f"
	s=$(openssl pkeyutl -sign -inkey "${3:-$W/jwt.key}" -rawin -in "$f" | b64url)
	rm -f "$f"
	printf '%s.%s.%s' "$h" "$b" "$s"
}
