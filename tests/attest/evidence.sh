# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# For jobs in a machine with a TPM: '. ./evidence.sh' unpacks libs.tar, which has what underpin-attest
# and tpm2 need, and knows an attestation key, PCRs and quotes.  A part of the output each.
tar -xf libs.tar
export LD_LIBRARY_PATH=. PATH="$PATH:." TPM2TOOLS_TCTI=device:/dev/tpm0

attestation_key() {
	echo "=== key"
	{ tpm2 createprimary -Q -C e -G ecc:ecdsa-sha256:null -c ak.ctx \
		-a 'restricted|sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth' &&
		tpm2 evictcontrol -Q -C o -c ak.ctx 0x81010002 && tpm2 flushcontext -t &&
		tpm2 readpublic -Q -c 0x81010002 -f der -o ak.der; } >&2
	sha256sum <ak.der
}

# pcr NAME NUMBER: as Linux reads it, at locality 0, and what the layer says of its events.
pcr() {
	echo "=== $1"
	cat /sys/kernel/underpin/tpm 2>/dev/null || echo "none"
	cat "/sys/class/tpm/tpm0/pcr-sha256/$2"
}

# quote NAME NONCE ARGUMENT...
quote() {
	echo "=== $1"
	shift
	underpin attest quote --ak 0x81010002 --tcti device:/dev/tpm0 --nonce "$@" 2>&1
}

# unrooted NAME NONCE: what the launch's key says alone
unrooted() {
	echo "=== $1"
	underpin attest quote --nonce "$2" --no-tpm 2>&1
}

the_end() {
	echo "=== log"
	dmesg | grep -E 'underpin: |BUG:|WARNING:|Oops'
	echo "=== end"
}
