#!/bin/sh
# Fuzzes every target for so many seconds: scripts/fuzz.sh SECONDS
set -eu

seconds=${1:?usage: scripts/fuzz.sh SECONDS}
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/fuzz"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
for target in "$root"/fuzz/targets/*.rs; do
  name=$(basename "$target" .rs)
  if "$root/fuzz/run.sh" "$name" "$seconds" >"$log" 2>&1; then
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
    printf '%-12s %12s runs in %s s, none failed\n' "$name" "${runs:-?}" "$seconds"
  else
    tail -n 40 "$log" >&2
    printf '%-12s FAILED\n' "$name"
    failed=1
  fi
done
exit "$failed"
