#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# dynamic.sh NONCE: in a machine whose TPM does what tests/tpm/bridge.c knows, a launch behind a
# dynamic one, by a TPM that takes three seconds a command; then leaving, and a launch, while it
# hangs.  Needs what nested.sh needs, but for localities and attack.ko.
set -u
# shellcheck source=tests/attest/evidence.sh
. ./evidence.sh

# bend BYTE: what the TPM does from now on
bend() {
	tpm2 pcrextend "16:sha256=$1$(printf '%062d' 0)" || exit 1
}

attestation_key
bend d1
pcr senter 17
bend d2
insmod ./underpin.ko || exit 1
bend d0
pcr launched 19
quote good "$1"
bend d3
rmmod underpin || exit 1
echo "=== left"
ls /sys/kernel/underpin 2>&1
insmod ./underpin.ko || exit 1
echo "=== hung"
cat /sys/kernel/underpin/tpm
unrooted unrooted "$1"
rmmod underpin || exit 1
the_end
