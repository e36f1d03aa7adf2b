#!/usr/bin/env bash
# What a file with 100 five-stage pipelines costs to compile: user CPU seconds of rustc, as
# `cargo check` and as `cargo build --release` call it.
#
#   benches/compile_time.sh [check] [release]
#
# The same chains as std iterators, written by hand with tinypl's functions, and with the macro;
# with a queue in each; with an order and a queue in each. ROUNDS=3: the medians count.
set -euo pipefail
rounds=${ROUNDS:-3}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kinds=("$@")
[[ $# -gt 0 ]] || kinds=(check release)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p tinypl
target=$(cargo metadata --quiet --format-version 1 --no-deps --manifest-path "$root/Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

# Five stages each, the last of which adds up what comes; @ is the number of the pipeline.
head='|x| x + @' third='|x| x % 3 == 0' seven='|x| x * 7' even='|x| x % 2 == 0' half='|x| x / 2' add='|a, b| a + b'
declare -A body=(
    [std]="(0..n).map($head).filter($third).map($seven).filter($even).map($half).fold(0u64, $add)"
    [hand]="Pipeline::new(map(filter(map(filter(map(range(0, n), $head), $third), $seven), $even), $half)).fold(0u64, $add)"
    [macro]="pipeline! { range(n) |> map($head) |> filter($third) |> map($seven) |> filter($even) |> map($half) |> fold(0u64, $add) }"
    [hand_queue]="Pipeline::new(thread::queue(map(filter(map(filter(range(0, n), $third), $seven), $even), $half)).workers(2).maxsize(8)).fold(0u64, $add)"
    [macro_queue]="pipeline! { range(n) |> filter($third) |> map($seven) |> filter($even) |> map($half) |> thread::queue(2, maxsize = 8) |> fold(0u64, $add) }"
    [hand_order]="let mut saved = order::save(range(0, n), 8); let o = saved.handle(); Pipeline::new(order::load(thread::queue(filter(map(saved, $seven), $third)).workers(2).maxsize(8), &o)).fold(0u64, $add)"
    [macro_order]="pipeline! { range(n) |> o @ order::save(8) |> map($seven) |> filter($third) |> thread::queue(2, maxsize = 8) |> order::load(o) |> fold(0u64, $add) }"
)
forms=(std hand macro hand_queue macro_queue hand_order macro_order)

for form in "${forms[@]}"; do
    {
        echo "#![allow(unused_imports, unused_mut)]"
        [[ $form == std ]] || echo "use tinypl::{Pipeline, filter, map, order, pipeline, range, thread};"
        for k in {0..99}; do
            echo "pub fn f$k(n: u64) -> u64 { ${body[$form]//@ order/AT order} }" | sed "s/@/$k/g; s/AT order/@ order/g"
        done
        echo "fn main() {"
        echo "    let mut sum = 0u64;"
        for k in {0..99}; do echo "    sum = sum.wrapping_add(f$k(100));"; done
        echo '    println!("{sum}");'
        echo "}"
    } > "$work/$form.rs"
done

compile() { # form kind: what cargo passes for a binary
    local flags
    case $2 in
        check) flags=(--emit=metadata -C debuginfo=2) ;;
        release) flags=(--emit=link -C opt-level=3 -C codegen-units=16 -C embed-bitcode=no -C strip=debuginfo) ;;
        *) echo "unknown: $2 (check, release)" >&2; exit 2 ;;
    esac
    rustc --edition 2024 --crate-name "$1" --crate-type bin "${flags[@]}" -o "$work/$1.$2" \
        --extern "tinypl=$target/release/libtinypl.rlib" -L "dependency=$target/release/deps" "$work/$1.rs"
}

TIMEFORMAT='%U'
measure() { # form kind
    { time compile "$1" "$2" 2> "$work/errors"; } 2>> "$work/$1.$2.times" || { head -n 40 "$work/errors" >&2; exit 1; }
}
middle() { sort -n "$work/$1.$2.times" | sed -n "$(((rounds + 1) / 2))p"; }
verdict() { # value of limit
    awk -v a="$1" -v b="$2" -v limit="$3" 'BEGIN { printf "%.2f | ≤ %s | %s", a / b, limit, (a <= limit * b) ? "met" : "NOT MET" }'
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

for kind in "${kinds[@]}"; do
    for ((round = 0; round < rounds; round++)); do
        for form in "${forms[@]}"; do measure "$form" "$kind"; done
    done
    declare -A took=()
    for form in "${forms[@]}"; do took[$form]=$(middle "$form" "$kind"); done

    # What was compiled computes what it should: the forms of one chain agree.
    if [[ $kind == release ]]; then
        for group in "std hand macro" "hand_queue macro_queue" "hand_order macro_order"; do
            sums=$(for form in $group; do "$work/$form.release"; done | sort -u | wc -l)
            ((sums == 1)) || { echo "these do not agree: $group" >&2; exit 1; }
        done
    fi

    echo "### 100 five-stage pipelines, $kind: user CPU of rustc, medians of $rounds, interleaved"
    echo
    echo "| form | seconds | × std | × by hand |"
    echo "| --- | ---: | ---: | ---: |"
    for form in "${forms[@]}"; do
        hand=${form/macro/hand}
        [[ $form == std ]] && hand=
        echo "| ${form/_/ + } | ${took[$form]} | $(ratio "${took[$form]}" "${took[std]}") | ${hand:+$(ratio "${took[$form]}" "${took[$hand]}")} |"
    done
    echo
    echo "| target | reached | limit | |"
    echo "| --- | ---: | ---: | ---: |"
    for form in macro macro_queue macro_order; do
        hand=${form/macro/hand}
        echo "| ${form/_/ + }, × by hand | $(verdict "${took[$form]}" "${took[$hand]}" 2) |"
        echo "| ${form/_/ + }, × std | $(verdict "${took[$form]}" "${took[std]}" 3) |"
    done
    echo
done
