#!/bin/sh
# Fuzzes one target on the stable compiler: fuzz/run.sh TARGET SECONDS [more options of libFuzzer]
#
# Starts from corpus/TARGET, which is kept small and in the repository; what is found on the way is
# written to $FUZZ_WORK (default: a folder in the build folder), and so is an input that fails.
set -eu
cd "$(dirname "$0")"
target=${1:?usage: fuzz/run.sh TARGET SECONDS}
seconds=${2:?usage: fuzz/run.sh TARGET SECONDS}
shift 2
build=${CARGO_TARGET_DIR:-$PWD/target}
host=$(rustc -vV | sed -n 's/^host: //p')
passes="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
passes="$passes -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
passes="$passes -Cllvm-args=-sanitizer-coverage-pc-table"
passes="$passes -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS="--cfg fuzzing $passes -Ccodegen-units=1 -Cdebug-assertions" \
    cargo build --release --bin "$target" --target "$host" ${FUZZ_JOBS:+-j$FUZZ_JOBS}
work=${FUZZ_WORK:-$build/found}/$target
mkdir -p "$work"
exec "$build/$host/release/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -artifact_prefix="$work/failed-" "$@" "$work" "corpus/$target"
