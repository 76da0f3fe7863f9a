#!/bin/bash
# Runs on alpha, one of two guests, started by `vm-tests/lab demo`: zrep's main job
# before your eyes. Beta is the other machine, which alpha reaches by ssh.
set -euo pipefail

syncs=50

if [ -n "${LAB_TERMINAL:-}" ]; then
    bold=$'\033[1m' cyan=$'\033[36m' plain=$'\033[0m'
else
    bold='' cyan='' plain=''
fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
shown() { printf '%s%s# %s%s\n' "$cyan" "$1" "$2" "$plain"; }
run() { shown alpha "$1"; eval "$1"; }
on_beta() { shown beta "$1"; ssh beta "$1"; }

# Zrep draws its progress only on a terminal.
with_progress() {
    shown alpha "$1"
    if [ -z "${LAB_TERMINAL:-}" ]; then eval "$1"; else script -qec "stty cols 100; $1" /dev/null; fi
}

# --- on either host -----------------------------------------------------------------

# The newest snapshot's name, and a checksum of content, names, modes, owners and times
# of everything in it.
digest() { # DATASET
    local newest
    newest=$(zfs list -H -d 1 -t snapshot -o name -s createtxg "$1" | tail -n 1)
    mkdir -p /mnt/look
    mount -t zfs -o ro "$newest" /mnt/look
    cd /mnt/look
    echo "@${newest#*@} $({
        find . -printf '%p %y %m %U:%G %T@ %s %l\n' | LC_ALL=C sort
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
    } | sha256sum | cut -c1-16)"
    cd /
    umount /mnt/look
}

change() { # DIRECTORY ROUND
    echo "record $2, $(date +%T.%N)" >>"$1/journal"
    head -c $((RANDOM % 200000)) /dev/urandom >"$1/file $(($2 % 4))"
    mkdir -p "$1/directory $(($2 % 3))"
    ln -f "$1/journal" "$1/directory $(($2 % 3))/journal"
    rm -f "$1/file $((($2 + 2) % 4))"
}

# --- on alpha -----------------------------------------------------------------------

# Runs one of the functions above on beta.
there() { ssh beta "set -euo pipefail; $(declare -f "$1"); $*"; }

compare() {
    local here there
    here=$(digest src/home) there=$(there digest dst/home)
    [ "$here" = "$there" ] || { echo "DIFFERENT: alpha has $here, beta has $there"; exit 1; }
    echo "newest snapshot, and checksum of everything in it: alpha $here = beta $there"
}

say 'Two machines: pool src on alpha, pool dst on beta. On alpha a filesystem that is in use'
run 'zpool list'
on_beta 'uname -n; zrep version; zpool list'
run 'zfs create src/home'
cp -r /etc /src/home/
run 'dd if=/dev/urandom of=/src/home/data bs=1M count=128 status=none'

say 'init: the first copy, 128 MiB over ssh'
SECONDS=0
with_progress 'zrep init src/home beta dst/home'
echo "in $SECONDS seconds"
compare

say "sync: $syncs times, while files change"
for round in $(seq "$syncs"); do
    change /src/home "$round"
    zrep sync src/home | tail -n 1
    if [ $((round % 10)) = 0 ]; then compare; fi
done

say 'sync for ever: a round follows the other, over one connection, while somebody writes'
(round=100; while true; do change /src/home $((round++)); sleep 0.2; done) &
writer=$!
run 'zrep sync all --every 0s --rounds 20 --verbose | tail -n 5'
kill $writer && wait $writer 2>/dev/null || true
run 'zrep sync src/home'
compare

say 'status, on both'
run 'zrep status --verbose --all'
on_beta 'zrep status --verbose --all'
on_beta 'zfs list -t all -o name,used,refer,readonly,mounted -r dst/home | tail -n 6'

say 'failover: what it will do, and doing it'
run 'zrep failover --dry-run src/home'
run 'zrep failover src/home'

say 'The other way round: dst/home on beta is written to, and src/home on alpha follows'
for round in $(seq 201 205); do
    there change /dst/home "$round"
    on_beta 'zrep sync dst/home | tail -n 1'
done
compare
run 'zrep status --verbose --all'
on_beta 'zrep status --verbose --all'

say 'A replica takes no writes:'
if touch /src/home/x 2>/dev/null; then echo 'it does!'; exit 1; fi
echo 'touch /src/home/x on alpha: refused.'

say 'That was init, syncs, a failover and syncs back, between two machines.'
say 'Play with it: vm-tests/lab exec --hosts 2 SCRIPT'
