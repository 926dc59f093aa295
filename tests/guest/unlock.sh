#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test machine: a protected guest gets its disk's key from a broker, which here is beside its
# host; the host's evidence goes to it by QEMU.
# unlock.sh SECONDS QEMU-OPTION...
set -u
seconds=$1
shift
tar -xf libs.tar
export LD_LIBRARY_PATH="$PWD" PATH="$PATH:$PWD"
printf '#!/bin/sh\nexec underpin attest quote --nonce - --no-tpm\n' >evidence
chmod 755 evidence
mkdir release
mv -- *.policy *.secret release && chmod 600 release/*.secret

ip link set lo up && insmod ./underpin.ko && modprobe kvm_intel || exit 1
underpin-broker --listen 127.0.0.1:7443 --certificate broker.crt --key broker.key \
	--release release 2>broker.txt &
broker=$!
timeout -s KILL "$seconds" underpin vm run -- qemu-system-x86_64 -accel kvm -cpu host,kvm=off \
	-machine pc,hpet=off,smm=off -nodefaults -nographic -serial stdio \
	-bios ./underpin-fw.bin "$@" </dev/null >serial.txt 2>run.txt &
run=$!
wait $run
echo "=== status $?"
kill $broker
wait $broker
echo "=== broker"
cat broker.txt
echo "=== layer"
underpin status -o json
echo "=== run"
cat run.txt
echo "=== dmesg"
dmesg | grep -v ' underpin: CPU' | tail -30
echo "=== serial"
cat serial.txt
