#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# nested.sh NONCE: in a machine with a TPM, a launch from the host's point of view: PCR 19
# before, behind and after it, quotes of it, and root's ways to the TPM's localities.  Needs
# underpin.ko, underpin, underpin-attest, tpm2, libs.tar with what the latter two need,
# localities and attack.ko.
set -u
tar -xf libs.tar
export LD_LIBRARY_PATH=. PATH="$PATH:." TPM2TOOLS_TCTI=device:/dev/tpm0

# As Linux reads it, at locality 0.
pcr() {
	echo "=== $1"
	cat /sys/kernel/underpin/tpm 2>/dev/null || echo "none"
	cat /sys/class/tpm/tpm0/pcr-sha256/19
}

quote() {
	echo "=== $1"
	underpin attest quote --nonce "$2" --ak 0x81010002 --tcti device:/dev/tpm0 2>&1
}

# reach NAME look|take
reach() {
	echo "=== $1"
	./localities "$2" 2>&1
}

echo "=== key"
{ tpm2 createprimary -Q -C e -G ecc:ecdsa-sha256:null -c ak.ctx \
	-a 'restricted|sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth' &&
	tpm2 evictcontrol -Q -C o -c ak.ctx 0x81010002 && tpm2 flushcontext -t &&
	tpm2 readpublic -Q -c 0x81010002 -f der -o ak.der; } >&2
sha256sum <ak.der
modprobe kvm && insmod ./attack.ko || exit 1
reach control look
pcr before
insmod ./underpin.ko || exit 1
pcr launched
quote good "$1"
reach beneath take
echo "=== zero"
tpm2 pcrextend "19:sha256=$1" 2>&1 && echo "extended"
pcr unmoved
quote still "$1"
rmmod underpin
pcr left
insmod ./underpin.ko || exit 1
pcr second
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
echo "=== unrooted"
underpin attest quote --nonce "$1" --no-tpm 2>&1
rmmod underpin
exec 3>&-
wait $!
pcr over
reach after take
pcr moved
echo "=== log"
dmesg | grep -E 'underpin: |BUG:|WARNING:|Oops'
echo "=== end"
