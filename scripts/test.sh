#!/bin/sh
# Every test, part by part, and one closing line. A part that fails does not stop the others.
# Needs cargo, Node, Python and a C compiler; brings the rest (npm packages, SDKs, Chromium) itself.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-target}
binary=$target/release/selfsame
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0
broken=""

# How many tests the output on stdin says have passed and failed: cargo, node --test, unittest.
counts() {
  awk '
    /^test result: / { p += $4; f += $6 }
    /^(ℹ|#) pass [0-9]+/ { p += $3 }
    /^(ℹ|#) fail [0-9]+/ { f += $3 }
    /^Ran [0-9]+ tests?/ { ran = $2 }
    /^OK/ { p += ran; ran = 0 }
    /^FAILED \(/ { match($0, /failures=[0-9]+/); n = RSTART ? substr($0, RSTART + 9, RLENGTH - 9) : 0
                   match($0, /errors=[0-9]+/); n += RSTART ? substr($0, RSTART + 7, RLENGTH - 7) : 0
                   f += n; p += ran - n; ran = 0 }
    END { print p + 0, f + 0 }'
}

# Runs a part; one without countable tests counts as one.
part() {
  name=$1
  shift
  began=$(date +%s)
  echo "== $name"
  status=0
  { "$@" 2>&1 || echo $? >"$log.status"; } | tee "$log"
  [ ! -f "$log.status" ] || { status=$(cat "$log.status"); rm -f "$log.status"; }
  set -- $(counts <"$log")
  p=$1
  f=$2
  [ "$((p + f))" -gt 0 ] || { if [ "$status" = 0 ]; then p=1; else f=1; fi; }
  [ "$status" = 0 ] || [ "$f" -gt 0 ] || f=1
  passed=$((passed + p))
  failed=$((failed + f))
  [ "$f" = 0 ] || broken="$broken; $name"
  echo "== $name: $p passed, $f failed, $(($(date +%s) - began)) s"
}

web_tests() { (cd web && npm test); }
sdk_tests() { (cd sdk/js && npm test); }
harness() { cargo run --quiet --locked --release -p selfsame-harness -- "$@"; }

scripts/check-tools.sh "$binary"
began_all=$(date +%s)
part "what the tests need" tests/sdk/install.sh
part "web: build" scripts/web.sh
part "web: unit tests" web_tests
part "browser SDK: unit tests and sizes" sdk_tests
part "actions pack: build" scripts/pack.sh
part "crates" cargo test --locked --workspace --no-fail-fast
part "release build" cargo build --locked --release -p selfsame-server -p selfsame-harness
part "official SDKs and the shop" tests/sdk/run.sh "$binary"
part "browser SDK: pages, networks and servers that fail" node tests/sdk/matrix.mjs "$binary"
part "kill and recover" harness torture --binary "$binary" --rounds 50 --events 100000
part "a small fleet" harness fleet --binary "$binary" --connections 40 --backlog 20000 --names 200 --people 640 \
  --rate 500 --seconds 10 --slower 90 --later 1000000
part "no answer before the sync" harness trace-sync --binary "$binary"
part "fuzzing, 20 s each" scripts/fuzz.sh 20

minutes=$((($(date +%s) - began_all + 59) / 60))
echo "$passed passed, $failed failed in $minutes min${broken:+ (failed: ${broken#; })}"
[ "$failed" = 0 ]
