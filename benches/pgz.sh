#!/usr/bin/env bash
# The example `pgz` beside `pigz -p 2`, both at gzip's default level, on about 150 MB of source text.
#
#   benches/pgz.sh [FILE]
#
# FILE is what to compress. Without it the text is the Rust sources that cargo has downloaded
# (~/.cargo/registry) and the sources found below /usr, one after the other, cut at 150 MB.
#
# ROUNDS=5 (how often each compresses it), MEGABYTES=150
set -euo pipefail
rounds=${ROUNDS:-5} bytes=$((${MEGABYTES:-150} * 1000 * 1000))
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if ! command -v pigz > /dev/null; then
    echo "pigz is not here: apt-get install pigz" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ $# -gt 0 ]]; then
    corpus=$(realpath "$1")
else
    corpus=$work/corpus
    # Sorted, so that the same machine makes the same text; `head` ends the pipeline early.
    # pipefail would take that for a failure.
    (
        set +o pipefail
        for place in "${CARGO_HOME:-$HOME/.cargo}/registry/src" "$(rustc --print sysroot)/lib" /usr/include /usr/lib /usr/share /usr/src; do
            find "$place" -type f -size -1024k \( -name '*.rs' -o -name '*.c' -o -name '*.h' -o -name '*.hpp' -o -name '*.py' \) -print0 2> /dev/null |
                LC_ALL=C sort -z
        done | xargs -0 cat 2> /dev/null | head -c "$bytes"
    ) > "$corpus"
    if (($(stat -c %s "$corpus") < bytes)); then
        echo "only $(stat -c %s "$corpus") bytes of source text found here; give a FILE for more" >&2
    fi
fi
size=$(stat -c %s "$corpus")
((size > 0)) || exit 1

cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p tinypl-examples --example pgz
target=$(cargo metadata --quiet --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
pgz=$target/release/examples/pgz

# Both on the same two processors where there are more.
two=()
if (($(nproc) > 2)) && command -v taskset > /dev/null; then
    two=(taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/-/,/; s/^\([0-9]*\),\([0-9]*\).*/\1,\2/')")
fi
pgz() { "${two[@]}" "$pgz" -p 2 -c "$corpus" > "$work/pgz.gz"; }
pigz_2() { "${two[@]}" pigz -p 2 -k -c "$corpus" > "$work/pigz.gz"; }

TIMEFORMAT='%R %U'
measure() { # name: adds "wall user" to $work/name.times
    { time "$1" 2> "$work/$1.errors"; } 2>> "$work/$1.times" || { cat "$work/$1.errors" >&2; exit 1; }
}
middle() { # name column
    cut -d' ' -f"$2" "$work/$1.times" | sort -n | sed -n "$(((rounds + 1) / 2))p"
}

cat "$corpus" > /dev/null
pgz
pigz_2
for archive in pgz pigz; do
    if ! gunzip -c "$work/$archive.gz" | cmp - "$corpus"; then
        echo "gunzip does not give back what $archive compressed" >&2
        exit 1
    fi
done
for ((round = 0; round < rounds; round++)); do
    # Each is first every other time.
    if ((round % 2)); then
        measure pigz_2
        measure pgz
    else
        measure pgz
        measure pigz_2
    fi
done

ours=$(stat -c %s "$work/pgz.gz") theirs=$(stat -c %s "$work/pigz.gz")
awk -v n="$rounds" -v size="$size" -v ours="$ours" -v theirs="$theirs" \
    -v wo="$(middle pgz 1)" -v wt="$(middle pigz_2 1)" -v uo="$(middle pgz 2)" -v ut="$(middle pigz_2 2)" '
function verdict(met) { return met ? "met" : "NOT MET" }
BEGIN {
    printf "### pgz: %.0f MB of source text, medians of %d, interleaved\n\n", size / 1e6, n
    print "| contestant                      | seconds |  MB/s | user CPU s |     bytes | of input |"
    print "| ------------------------------- | ------: | ----: | ---------: | --------: | -------: |"
    printf "| **pgz**                         | %7.2f | %5.1f | %10.2f | %9d | %6.2f %% |\n", wo, size / 1e6 / wo, uo, ours, 100 * ours / size
    printf "| pigz -p 2                       | %7.2f | %5.1f | %10.2f | %9d | %6.2f %% |\n", wt, size / 1e6 / wt, ut, theirs, 100 * theirs / size
    printf "| target: no slower               | %5.2f × |       |            |           | %8s |\n", wo / wt, verdict(wo <= wt)
    printf "| target: at most 2 %% larger      |         |       |            | %+7.2f %% | %8s |\n", 100 * (ours / theirs - 1), verdict(ours <= 1.02 * theirs)
    print "\ngunzip gave back the same bytes from both"
}'
