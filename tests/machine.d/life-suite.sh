# SPDX-License-Identifier: GPL-2.0
# For suites in which a kernel ends and another one looks at its memory: '. tests/machine.d/life-suite.sh'
# after suite.sh.
# shellcheck shell=sh disable=SC2034,SC2154

work=$tap_work
# secret FILE: the firmware of a guest with a secret (A ^ B: see tests/guest/tiny-fw.S)
secret() {
	python3 -c '
import os, sys
source, target = sys.argv[1:]
image = bytearray(open(source, "rb").read())
a, b = os.urandom(32), os.urandom(32)
image[0xffb0:0xffd0], image[0xffd0:0xfff0] = a, b
open(target, "wb").write(image)
print(bytes(x ^ y for x, y in zip(a, b)).hex())' build/tiny-fw.bin "$1"
}
protected=$(secret "$work/protected-fw.bin") && ordinary=$(secret "$work/ordinary-fw.bin") || exit 1

# Small, since it is hashed before the second kernel starts.
strip --strip-debug -o "$work/underpin.ko" build/underpin.ko &&
	strip -o "$work/init" build/machine-tools/second && python3 -B -c '
import sys
sys.path.insert(0, "tests/lib")
import cache, image
files = [(name, 0o100755, cache.read(sys.argv[1] + "/" + name), (0, 0))
         for name in ("init", "underpin.ko")]
open(sys.argv[1] + "/second.initrd", "wb").write(image.cpio(image.console_node() + files))' \
	"$work" || exit 1

# ends HOW MACHINE-ARGUMENT...: a kernel's life with both guests; output and words stay.
# $words: of the kernels' command lines
words=
ends() {
	how=$1
	shift
	status=0
	tests/machine -q --timeout 600 "$@" --copy "$work/protected-fw.bin" \
		--copy "$work/ordinary-fw.bin" --copy "$work/second.initrd" \
		--copy build/machine-tools/life --copy tests/lib/tap.sh \
		--copy tests/machine.d/lib.sh --copy tests/machine.d/life.sh \
		--append "mem=768M crashkernel=112M${words:+ $words}" -- sh life.sh "$how" \
		"console=ttyS0,115200 loglevel=1 panic=0 cryptomgr.notests protected=$protected ordinary=$ordinary${words:+ $words}" \
		>"$work/out" 2>"$work/words" || status=$?
	sed 's/^/# /' "$work/out" "$work/words"
	grep -q '^the kernel ends' "$work/out"
}
# found NUMBER: how often the protected (1) or the ordinary (2) guest's secret was found
found() { sed -n 's/^found //p' "$work/out" | sed -n "$1p"; }
none() { same 0 "$1"; }
many() { [ "${1:-0}" -ge 16 ] || { echo "${1:-none}"; return 1; }; }
vmcore() { sed -n "s/^vmcore: $1 //p" "$work/out"; }
read_whole() { # of 768 MiB less what is reserved
	set -- $(sed -n 's/^vmcore: \([0-9]*\) of \([0-9]*\) MiB read$/\1 \2/p' "$work/out")
	same "${2:-none}" "${1:-nothing}" && [ "$1" -ge 600 ]
}
