#!/bin/sh
# Builds web/ where something has changed: the console, the demo's shop and the browser SDK.
#   scripts/web.sh               fails if it cannot be built
#   scripts/web.sh --or-without  says so and goes on
#   scripts/web.sh --can         builds nothing: is there a Node that can?
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root/web"
lock=node_modules/.selfsame-lock
built=node_modules/.selfsame-built

can() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] 2>/dev/null
}

is_built() {
  [ -f "$built" ] && [ -f shop/dist/index.html ] && [ -f sdk-bundle/dist/analytics.min.js ] &&
    [ -f console/dist/index.html ] &&
    cmp -s package-lock.json "$lock" &&
    [ -z "$(find package.json shop sdk-bundle console ../openapi -type f -newer "$built" ! -path '*/dist/*' \
      ! -path '*/generated/*' | head -n 1)" ]
}

build() {
  if ! cmp -s package-lock.json "$lock"; then
    npm ci --no-audit --no-fund --loglevel=error >&2 || return 1
    cp package-lock.json "$lock"
  fi
  touch "$built.new"
  npm run --silent build >&2 || return 1
  mv "$built.new" "$built"
}

case ${1:-} in
--can) can ;;
--or-without)
  if ! can || is_built; then exit 0; fi
  build || echo "The console, the shop and the browser SDK could not be built; going on without them." >&2
  ;;
"")
  can || { echo "Node 20 or newer with npm is needed." >&2; exit 1; }
  is_built || build
  ;;
*) echo "usage: $0 [--or-without | --can]" >&2; exit 2 ;;
esac
