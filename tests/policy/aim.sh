# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# aim NAME FIGURE MOST   "NAME<=MOST:met", or ":missed"; nothing without an aim
aim() {
	[ -z "$3" ] || awk -v n="$1" -v x="$2" -v most="$3" \
		'BEGIN { print n "<=" most ":" (x + 0 <= most + 0 ? "met" : "missed") }'
}
