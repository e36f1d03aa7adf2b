#!/usr/bin/env bash
# The data loader beside torch's DataLoader, and torchvision's transforms.
#
#   benches/torch.sh [--quick]
#
# They are further contestants in two of the tables of `cargo bench --bench loader`, so that all run in turns on the same
# two CPUs; their clocks start when the first batch is there. What pip installs for it stays in target/ for the next time.
# PyPI's torch brings CUDA's libraries along, some GB that are not used here; an index of builds without them may be named
# by PIP_INDEX_URL.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

skip() {
    echo "TORCH IS LEFT OUT: $1" >&2
    exit 0
}
command -v python3 > /dev/null || skip "there is no python3 here"

target=$(cargo metadata --quiet --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
venv=$target/torch-peers
if ! [[ -e $venv/complete ]]; then
    rm -rf "$venv"
    python3 -m venv "$venv" || skip "python3 can't make a virtual environment"
    "$venv/bin/pip" install --quiet --disable-pip-version-check torch torchvision numpy pillow ||
        skip "pip can't install them: is there a network?"
    touch "$venv/complete"
fi

cargo bench --manifest-path "$root/Cargo.toml" -p tinypl-benches --bench loader -- --torch="$venv/bin/python" "$@"
