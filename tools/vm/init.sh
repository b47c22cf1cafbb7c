#!/bin/busybox sh
# The first process, while the file system is the initial archive in memory: find the host's files, go there.
set -e
bb=/bin/busybox

$bb mkdir -p /proc /sys /dev /host /memory /over /new
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/console 2>&1 # what goes wrong here is shown with what the kernel says

for module in /modules/*; do $bb insmod "$module"; done

# Nobody writes to the host's files from here, so the guest may keep what it has read.
$bb mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=524288,cache=loose host /host
$bb mount -t tmpfs -o mode=755 memory /memory
$bb mkdir /memory/upper /memory/work
$bb mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work overlay /over

# The root and /etc are plain memory, as on hosts they are plain disk: over 9p no name is known for certain
# without asking, so the kernel would refuse every look that must not wait (RESOLVE_CACHED).
$bb mount -t tmpfs -o mode=755 root /new
for path in /over/*; do
    name="${path##*/}"
    case "$name" in
        proc | sys | dev) $bb mkdir "/new/$name" && $bb mount -o move "/$name" "/new/$name" ;;
        run | tmp) $bb mkdir "/new/$name" ;;
        etc) $bb cp -a "$path" /new/ ;;
        *)
            if [ -d "$path" ] && [ ! -L "$path" ]; then
                $bb mkdir "/new/$name" && $bb mount -o bind "$path" "/new/$name"
            else
                $bb cp -a "$path" /new/
            fi
            ;;
    esac
done

$bb mount -t tmpfs -o mode=755 run /new/run
$bb mkdir /new/run/vm
$bb cp /bin/busybox /guest.sh /command.sh /new/run/vm/
exec $bb switch_root /new /run/vm/busybox sh /run/vm/guest.sh
