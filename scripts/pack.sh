#!/bin/sh
# Builds actions-pack/ where something has changed: the destinations of a published npm package, for the program.
#   scripts/pack.sh               fails if it cannot be built
#   scripts/pack.sh --or-without  says so and goes on
# The package with everything that it names is 130 MB; what the program gets of it is less than two.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root/actions-pack"
lock=node_modules/.selfsame-lock
built=dist/pack.bin

is_built() {
  [ -f "$built" ] && [ -z "$(find . -type f -newer "$built" ! -path './node_modules/*' ! -path './dist/*' | head -n 1)" ]
}

build() {
  if ! cmp -s package-lock.json "$lock"; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || return 1
    cp package-lock.json "$lock"
  fi
  node build.mjs >&2
}

case ${1:-} in
--or-without)
  if ! ../scripts/web.sh --can || is_built; then exit 0; fi
  build || echo "The actions pack could not be built; going on without it." >&2
  ;;
"")
  ../scripts/web.sh --can || { echo "Node 20 or newer with npm is needed." >&2; exit 1; }
  is_built || build
  ;;
*) echo "usage: $0 [--or-without]" >&2; exit 2 ;;
esac
