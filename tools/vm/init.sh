#!/bin/busybox sh
# The first process, while the file system is the initial archive in memory: find the host's files, go there.
set -e
bb=/bin/busybox

$bb mkdir -p /proc /sys /dev /host /memory /new
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/console 2>&1 # what goes wrong here is shown with what the kernel says

for module in /modules/*; do $bb insmod "$module"; done

# Nobody writes to the host's files from here, so the guest may keep what it has read.
$bb mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=524288,cache=loose host /host
$bb mount -t tmpfs -o mode=755 memory /memory
$bb mkdir /memory/upper /memory/work
$bb mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work overlay /new

for own in proc sys dev; do $bb mount -o move "/$own" "/new/$own"; done
$bb mount -t tmpfs -o mode=755 run /new/run
$bb mkdir /new/run/vm
$bb cp /bin/busybox /guest.sh /command.sh /new/run/vm/
exec $bb switch_root /new /run/vm/busybox sh /run/vm/guest.sh
