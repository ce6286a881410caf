#!/bin/sh
# Walks the console in Chromium beside a server binary: tests/console/run.sh target/debug/selfsame [bench]
# With `bench` it measures in place of that.
# SHOT_DIR=docs/screenshots writes a picture of every screen in both themes.
set -eu

[ $# -ge 1 ] && [ -x "$1" ] || { echo "usage: $0 SERVER_BINARY [bench]" >&2; exit 2; }
SELFSAME_BINARY=$(CDPATH= cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
export SELFSAME_BINARY
[ -z "${SHOT_DIR:-}" ] || { mkdir -p "$SHOT_DIR" && SHOT_DIR=$(CDPATH= cd -- "$SHOT_DIR" && pwd) && export SHOT_DIR; }

if ! cmp -s "$here/package-lock.json" "$here/node_modules/.selfsame-lock"; then
  (cd "$here" && npm ci --no-audit --no-fund --loglevel=error >&2)
  cp "$here/package-lock.json" "$here/node_modules/.selfsame-lock"
fi
cd "$here"
[ "${2:-}" != bench ] || exec timeout 180 node bench.mjs
exec timeout 230 node --test --test-concurrency=1 test/
