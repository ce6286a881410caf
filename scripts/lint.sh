#!/bin/sh
# Everything about the code that is not a test: format, clippy, types, dependencies.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
cargo fmt --all --check
cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
"$root/scripts/web.sh"
(cd sdk/js && npm run --silent check)
(cd web && npm run --silent check)

# Licences, banned crates and sources, by cargo-deny where it is installed.
if cargo deny --version >/dev/null 2>&1; then
  cargo deny --log-level error check bans licenses sources
else
  python3 scripts/check-dependencies.py
fi
