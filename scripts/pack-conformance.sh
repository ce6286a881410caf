#!/bin/sh
# The recorded cases of the actions pack's destinations: the published package in Node, and the pack in our engine; what
# differs, and what it costs. PACK_CASES names the cases; without them those are run that the repository keeps.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
PACK_CASES=${PACK_CASES:-$root/fixtures/destinations/cases.jsonl.gz}
PACK_NODE=$(mktemp)
export PACK_CASES PACK_NODE
trap 'rm -f "$PACK_NODE"' EXIT

scripts/pack.sh
node actions-pack/cases.cjs "$PACK_CASES" >"$PACK_NODE" 2>/dev/null
cargo test --quiet --locked --profile profiling -p selfsame-pack --test it -- --ignored --nocapture --test-threads=1
