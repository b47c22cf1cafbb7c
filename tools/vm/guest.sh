# The first process, over the host's files: make a system of them, run the command, switch off.
bb=/run/vm/busybox

$bb mount -t tmpfs -o mode=1777 tmp /tmp
$bb mkdir -p /dev/pts /dev/shm
$bb mount -t devpts devpts /dev/pts
$bb mount -t tmpfs -o mode=1777 shm /dev/shm
$bb mount -t cgroup2 cgroup2 /sys/fs/cgroup
$bb mount -t tracefs tracefs /sys/kernel/tracing
$bb mount -t bpf bpf /sys/fs/bpf
$bb ip link set lo up
$bb ln -sf /proc/self/fd /dev/fd
$bb hostname vm

# Ports 1 to 3 lead to the host: output, errors, and the status (machine.py).
until [ -c /dev/vport0p3 ]; do $bb sleep 0.1; done
$bb setsid $bb env -i HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 TERM=dumb \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /bin/sh /run/vm/command.sh </dev/null >/dev/vport0p1 2>/dev/vport0p2
echo $? >/dev/vport0p3
$bb poweroff -f
