#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# nested.sh NONCE: in a machine with a TPM, a launch from the host's point of view: PCR 19
# before, behind and after it, quotes of it, and root's ways to the TPM's localities.  Needs
# underpin.ko, underpin, underpin-attest, tpm2, libs.tar with what the latter two need,
# evidence.sh, vm.sh with what it needs, localities and attack.ko.
set -u
# shellcheck source=tests/attest/vm.sh
. ./vm.sh
# shellcheck source=tests/attest/evidence.sh
. ./evidence.sh

# reach NAME look|take
reach() {
	echo "=== $1"
	./localities "$2" 2>&1
}

attestation_key
modprobe kvm && insmod ./attack.ko || exit 1
reach control look
pcr before 19
insmod ./underpin.ko || exit 1
pcr launched 19
quote good "$1"
reach beneath take
echo "=== zero"
tpm2 pcrextend "19:sha256=$1" 2>&1 && echo "extended"
pcr unmoved 19
quote still "$1"
vm_start
quote vm "$1" --vm 0
vm_asks "$1"
quote asked "$1" --vm-report vm-report
vm_end
rmmod underpin
pcr left 19
insmod ./underpin.ko || exit 1
pcr second 19
quote again "$1"
rmmod underpin
# Another locality has the TPM, and keeps it: the layer gives up, and all else goes on.
mkfifo end
./localities hold <end >holder 2>&1 &
exec 3>end
until [ -s holder ]; do sleep 0.1; done
echo "=== holder"
cat holder
insmod ./underpin.ko || exit 1
echo "=== held"
cat /sys/kernel/underpin/tpm
unrooted unrooted "$1"
rmmod underpin
exec 3>&-
wait $!
pcr over 19
reach after take
pcr moved 19
the_end
