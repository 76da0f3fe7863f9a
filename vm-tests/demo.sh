#!/bin/bash
# Runs in a guest, started by `vm-tests/lab demo`: zrep's main job before your eyes.
set -euo pipefail

syncs=12

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '\033[36m# %s\033[0m\n' "$*"; "$@"; }

# Content, names, modes, owners and times of everything in a dataset's newest snapshot.
digest() {
    local snapshot
    snapshot=$(zfs list -H -d 1 -t snapshot -o name -s createtxg "$1" | tail -n 1)
    (
        cd "$(zfs get -H -o value mountpoint "$1")/.zfs/snapshot/${snapshot#*@}"
        find . -printf '%p %y %m %U:%G %T@ %s %l\n' | LC_ALL=C sort
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
    ) | sha256sum | cut -c1-16
}

# A dataset must be mounted to be looked into; a replica stays read-only.
compare() {
    local one other
    zfs mount "$2" 2>/dev/null || true
    one=$(digest "$1") other=$(digest "$2")
    zfs unmount "$2"
    [ "$one" = "$other" ] || { echo "DIFFERENT: $1 $one, $2 $other"; exit 1; }
    echo "checksum of everything in the newest snapshot: $1 $one = $2 $other"
}

change() {
    local here=$1 round=$2
    echo "record $round, $(date +%T.%N)" >>"$here/journal"
    head -c $((RANDOM % 200000)) /dev/urandom >"$here/file $((round % 4))"
    mkdir -p "$here/directory $((round % 3))"
    ln -f "$here/journal" "$here/directory $((round % 3))/journal"
    rm -f "$here/file $(((round + 2) % 4))"
}

say 'Two pools on one machine, and a filesystem that is in use'
run zrep version
run zfs create 'src/home'
cp -r /etc /src/home/

say 'init: the first copy'
run zrep init src/home localhost dst/home
compare src/home dst/home

say "sync: $syncs times, while files change"
for round in $(seq "$syncs"); do
    change /src/home "$round"
    zrep sync src/home | tail -n 1
done
compare src/home dst/home

say 'sync for ever: a round follows the other, in one process, while somebody writes'
(round=100; while true; do change /src/home $((round++)); sleep 0.2; done) &
writer=$!
run zrep sync all --every 0s --rounds 20 --verbose | tail -n 5
kill $writer && wait $writer 2>/dev/null || true
run zrep sync src/home
compare src/home dst/home

say 'status'
run zrep status --verbose --all
run zfs list -t all -o name,used,refer,readonly,mounted

say 'failover: what it will do, and doing it'
run zrep failover --dry-run src/home
run zrep failover src/home

say 'The other way round: dst/home is written to, and src/home follows'
for round in $(seq 201 203); do
    change /dst/home "$round"
    zrep sync dst/home | tail -n 1
done
zfs unmount src/home 2>/dev/null || true
compare dst/home src/home
run zrep status --verbose --all

say 'A replica takes no writes:'
zfs mount src/home
if touch /src/home/x 2>/dev/null; then echo 'it does!'; exit 1; fi
echo 'touch /src/home/x: refused.'

say 'That was init, syncs, a failover and syncs back. Play with it: vm-tests/lab shell'
