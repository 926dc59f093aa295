# SPDX-License-Identifier: GPL-2.0-only
# For suites that install the packages: '. tests/lib/deb.sh' after tests/lib/tap.sh.  They are
# built in $tree, lie in $debs, and $root is a clean Debian 12.
# shellcheck shell=sh disable=SC2154  # tap_work comes from there

tree=$tap_work/tree
debs=$tap_work/debs
root=$tap_work/root
export DEB_BUILD_OPTIONS=noautodbgsym DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

# packages FOLDER OPTION...: of what git knows.  It is built once: the next release is the same,
# packed under another version.
packages() {
	folder=$1
	shift
	[ -d "$tree" ] || { mkdir "$tree" && git ls-files -z | xargs -0 cp --parents -t "$tree"; } ||
		return 1
	(cd "$tree" && dpkg-buildpackage -us -uc -b "$@") >"$tap_work/log" 2>&1 ||
		{ tail -n 30 "$tap_work/log"; return 1; }
	mkdir "$folder" && mv "$tap_work"/*.deb "$folder"
}

in_root() { chroot "$root" "$@"; }

# Kernels of the clean Debian
releases() { (cd "$root/lib/modules" && echo *); }

# What is mounted in it goes with the suite, however that ends.
clean_root() {
	trap 'exit 143' TERM INT
	tests/lib/clean-root "$root" && mount -t proc proc "$root/proc" &&
		trap 'umount "$root/proc"; rm -rf "$tap_work"' EXIT && same 2 "$(releases | wc -w)"
}

# What the packages depend on is Debian's own, and so is what it leaves: it is there before.
# shellcheck disable=SC2046  # a word each
depends() {
	mkdir "$root/debs" && cp "$debs"/*.deb "$root/debs" &&
		in_root sh -c 'apt-get -s -q install /debs/*.deb' >"$tap_work/plan" && rm -r "$root/debs" &&
		in_root apt-get -q -y install $(awk '$1 == "Inst" && $2 !~ /^underpin/ { print $2 }' "$tap_work/plan")
}

# The commands from nothing to a protected guest, as they stand on the page
operators() { awk '/^```sh$/ { on = 1; next } /^```$/ { exit } on' docs/operator.md; }

# install FOLDER: by the operator's command, where the packages lie; and the daemon, which is
# another host's.
install() {
	mkdir -p "$root/debs" && cp "$1"/*.deb "$root/debs" &&
		echo 'APT::Get::Assume-Yes "true";' >"$root/debs/yes" &&
		in_root env APT_CONFIG=/debs/yes sh -c \
			"cd /debs && $(operators | grep '^apt install ') && apt install ./underpind_*.deb" &&
		rm -r "$root/debs"
}

# A guest that says so when it is in user space: initrd.img in FOLDER
guest_initrd() { # FOLDER
	python3 -B -c 'import sys; sys.path.insert(0, "tests/lib"); import guest
guest.initrd(sys.argv[1] + "/initrd.img", "tests/image/guest-init.c", sys.argv[1])' "$1"
}
