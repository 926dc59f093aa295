#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make clouds": two clouds on this machine, and the path of a request of each type.
set -u
. tests/policy/world.sh
W=$(mktemp -d)
trap 'world_down; rm -rf "$W"' EXIT
world_make "$W" && world_up "$W" || exit 1
show() { echo; echo "--- $1"; shift; ask "$@"; }
show "type 2: within east, from application to device" alice east application \
	-a provision -r web-1 -O "$W/t2"
"$OUT/underpin-policy" ticket verify "$W/t2" "$W/east-ticket.pub"
show "type 1: application layer of east to that of west" alice east application \
	-a provision -r west-app -O "$W/t1"
"$OUT/underpin-policy" ticket verify "$W/t1" "$W/west-ticket.pub"
ask alice east application -a release -r west-app > /dev/null
show "type 3: application layer of east to the infrastructure layer of west" alice east \
	application -a provision -r west-vm -O "$W/t3"
"$OUT/underpin-policy" ticket verify "$W/t3" "$W/west-ticket.pub"
show "refused: bob is a viewer" bob east application -a provision -r web-2
echo
for c in east west; do for l in $LAYERS; do
	printf '%-22s ' "$c $l audit:"
	"$OUT/underpin-policy" audit verify "$W/$c-$l.db" "$W/$c-audit.pub"
done; done
