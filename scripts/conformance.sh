#!/bin/sh
# The official SDKs against a server binary, as one table: scripts/conformance.sh BINARY
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
"$root/tests/sdk/run.sh" "$1" >"$log" 2>&1 || status=$?
printf '%-7s  %s\n' result "SDK and what it did"
awk '
  function row(what) {
    all[bad ? "FAILED" : skipped ? "skipped" : "passed"]++
    printf "%-7s  %s\n", bad ? "FAILED" : skipped ? "skipped" : "passed", what
  }
  END { printf "%d passed, %d failed, %d skipped\n", all["passed"], all["FAILED"], all["skipped"] }
  /^(# Subtest: )/ { next }
  /^(# )?[0-9]+ differ: / { sub(/^# /, ""); print "         " $0; next }
  /^ *(✔|✖|ok|not ok|﹣) / {
    bad = ($0 ~ /^ *(✖|not ok)/); skipped = ($0 ~ /# SKIP|﹣/)
    sub(/^ *(✔|✖|﹣|ok [0-9]+ -|not ok [0-9]+ -) /, ""); sub(/ \([0-9.]+ms\).*/, "")
    if (!($0 in seen)) { seen[$0] = 1; row($0) }
  }
  / \.\.\. (ok|FAIL|ERROR)/ {
    bad = ($0 !~ /\.\.\. ok/); skipped = 0; sub(/ \.\.\. .*/, ""); row("segment-analytics-python: " $1)
  }
' "$log"
[ "$status" = 0 ] || { echo "--- what was said" >&2; tail -n 80 "$log" >&2; }
echo
echo "Browser SDKs, when pages, networks and servers fail:"
node "$root/tests/sdk/matrix.mjs" "$1" --all >"$log" || status=1
cat "$log"
exit "$status"
