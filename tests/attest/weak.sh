#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# weak.sh NONCE: in a machine where only the kernel speaks to a TPM, swtpm behind the vTPM
# proxy, launches from the host's point of view: PCR 15 before, behind and after them, and
# quotes.  Needs underpin.ko, underpin, underpin-attest, tpm2, and libs.tar with what these need.
set -u
tar -xf libs.tar
export LD_LIBRARY_PATH=. PATH="$PATH:." TPM2TOOLS_TCTI=device:/dev/tpm0

pcr() {
	echo "=== $1"
	cat /sys/kernel/underpin/tpm 2>/dev/null || echo "none"
	cat /sys/class/tpm/tpm0/pcr-sha256/15
}

quote() {
	echo "=== $1"
	underpin attest quote --nonce "$2" --ak 0x81010002 --tcti device:/dev/tpm0 2>&1
}

mkdir state && modprobe tpm_vtpm_proxy &&
	env -u LD_LIBRARY_PATH swtpm chardev --vtpm-proxy --tpm2 --tpmstate "dir=$PWD/state" \
		--flags startup-clear --daemon || exit 1
turn=0
until [ -e /sys/class/tpm/tpm0/pcr-sha256/15 ] || [ $turn -gt 300 ]; do
	sleep 0.1
	turn=$((turn + 1))
done
echo "=== key"
{ tpm2 createprimary -Q -C e -G ecc:ecdsa-sha256:null -c ak.ctx \
	-a 'restricted|sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth' &&
	tpm2 evictcontrol -Q -C o -c ak.ctx 0x81010002 && tpm2 flushcontext -t &&
	tpm2 readpublic -Q -c 0x81010002 -f der -o ak.der; } >&2
sha256sum <ak.der
pcr before
insmod ./underpin.ko || exit 1
pcr launched
quote good "$1"
echo "=== status"
underpin status
rmmod underpin
pcr left
insmod ./underpin.ko || exit 1
pcr second
quote again "$1"
echo "=== log"
dmesg | grep -E 'underpin: |BUG:|WARNING:|Oops'
echo "=== end"
