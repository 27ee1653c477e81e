#!/bin/sh
# Builds stratalog and keeps a journal in a local folder: appends, reads, compacts, trims and
# verifies.
#   examples/journal.sh [LOG]     LOG is a folder or a URL; default: a fresh folder below target/
set -eu
case ${1:-} in
"" | /* | *:*) log=${1:-} ;;
*) log=$PWD/$1 ;;
esac
cd "$(dirname "$0")/.."
cargo build --release --bin stratalog
stratalog=${CARGO_TARGET_DIR:-target}/release/stratalog
log=${log:-target/journal-$$}

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# A small threshold, so that a thousand events make several batches.
run "$stratalog" append --flush-threshold 100 "$log" examples/events.jsonl
run "$stratalog" append "$log" examples/events.jsonl
run "$stratalog" stat "$log"
run "$stratalog" compact "$log"
run "$stratalog" stat "$log"
run "$stratalog" tail -n 3 "$log"
run "$stratalog" trim --keep-events 500 "$log"
run "$stratalog" verify "$log"
printf '\nThe journal is in %s.\n' "$log"
