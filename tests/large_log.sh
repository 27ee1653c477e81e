#!/bin/sh
# Measures the memory for a log of some GiB in a folder. Appends it, then reads, compacts and
# verifies it with 64 MiB for the component, and prints the peak of each process.
#
#   tests/large_log.sh [GIB] [FOLDER]     4 GiB in a temporary folder by default; twice that is used
#
# Needs GNU time (/usr/bin/time) and a built `target/release/stratalog`.
set -eu

gib=${1:-4}
folder=${2:-$(mktemp -d)}
stratalog=${STRATALOG:-$(dirname "$0")/../target/release/stratalog}
bytes=$((gib * 1024 * 1024 * 1024))
log=$folder/log

[ -x "$stratalog" ] || { echo "no $stratalog: run \`cargo build --release\`" >&2; exit 1; }
mkdir -p "$folder"
trap 'rm -rf "$log" "$folder/peak" "$folder/events"' EXIT

# Lines of 200 bytes, all different.
events() {
    seq -f '{"event":%015.0f,"text":"'"$(printf '%0165d' 0)"'"}' "$((bytes / 200))"
}

measure() {
    name=$1
    shift
    if ! /usr/bin/time -o "$folder/peak" -f '%M %e' "$stratalog" --memory-max "$memory" --quiet "$@"; then
        echo "$name failed" >&2
        exit 1
    fi
    read -r kib seconds < "$folder/peak"
    printf '%-16s %5d MiB resident at most, %6.1f s\n' "$name" "$((kib / 1024))" "$seconds" >&2
}

echo "a log of $gib GiB" >&2
memory=256MiB
events | measure append append "$log"
memory=64MiB
expected=$(events | cksum)
check() {
    [ "$(measure "read $1" read "$log" | cksum)" = "$expected" ] || { echo "$1: other events" >&2; exit 1; }
}
check batches
measure 'verify batches' verify "$log" > /dev/null
measure compact compact "$log"
check segments
measure 'compact --full' compact --full --segment-bytes-max 1GiB "$log"
measure 'verify segments' verify "$log" > /dev/null
