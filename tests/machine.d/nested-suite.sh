# SPDX-License-Identifier: GPL-2.0
# For suites that run nested.sh in a machine of nested KVM's: '. tests/machine.d/nested-suite.sh'
# after suite.sh.
# shellcheck shell=sh

tests/lib/build -f tests/attack/attack.mk >&2 || exit 1
build/underpin vm expected --machine pc --firmware build/tiny-fw.bin --memory 16 \
	>"$tap_work/expected.tiny" || exit 1

# nested NAME WORDS [OPTION...]: for the kernel's command line, and of tests/machine
nested() {
	nested_name=$1
	nested_words=$2
	shift 2
	# Directly where this host's KVM offers VMX; else in a machine of Bochs's.
	nested_platform=nested
	! tests/machine -q --platform kvm --prepare 2>/dev/null || nested_platform=kvm
	echo "# --platform $nested_platform --append '$nested_words' $*"
	inside "$nested_name" --platform $nested_platform --append "$nested_words" --timeout 850 "$@" \
		--copy build/attack/attack --copy build/attack/attack.ko \
		--copy tests/machine.d/lib.sh --copy tests/machine.d/nested.sh \
		--copy "$tap_work/expected.tiny" -- sh nested.sh
}
