#!/usr/bin/env bash
# Worker processes beside Python's: multiprocessing.Pool.imap, and the original tinypl 0.1.0.
#
#   benches/python.sh [--quick]
#
# They are further contestants in two of the tables of `cargo bench`, so that all run in turns on the same two CPUs; their
# clocks start when their workers run, and stop at the last result. What pip installs for it stays in target/ for the next time.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

skip() {
    echo "PYTHON'S PEERS ARE LEFT OUT: $1" >&2
    exit 0
}
command -v python3 > /dev/null || skip "there is no python3 here"

target=$(cargo metadata --quiet --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
venv=$target/python-peers
if ! [[ -e $venv/complete ]]; then
    rm -rf "$venv"
    python3 -m venv "$venv" || skip "python3 can't make a virtual environment"
    "$venv/bin/pip" install --quiet --disable-pip-version-check tinypl==0.1.0 numpy ||
        skip "pip can't install them: is there a network?"
    touch "$venv/complete"
fi

cargo bench --manifest-path "$root/Cargo.toml" -p tinypl-benches --bench process --bench shared -- \
    --python="$venv/bin/python" "$@" "no work, 2 workers" "a glance at each"
