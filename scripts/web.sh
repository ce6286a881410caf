#!/bin/sh
# Builds what browsers get, where something has changed: our browser SDK (sdk/js), the console, the demo's shop and
# Segment's browser SDK (web/).
#   scripts/web.sh               fails if it cannot be built
#   scripts/web.sh --or-without  says so and goes on
#   scripts/web.sh --can         builds nothing: is there a Node that can?
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

lock=node_modules/.selfsame-lock
built=node_modules/.selfsame-built

can() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] 2>/dev/null
}

is_built() {
  [ -f web/shop/dist/official.html ] && [ -f web/sdk-bundle/dist/analytics.min.js ] &&
    [ -f web/console/dist/index.html ] && [ -f sdk/js/dist/browser/analytics.min.js ] &&
    is_fresh sdk/js . && is_fresh web shop sdk-bundle console ../openapi ../sdk/js/src
}

# Whether nothing in folder $1 is newer than its last build: its lock file, package.json, and the folders that follow.
is_fresh() (
  cd "$1" && shift
  [ -f "$built" ] && cmp -s package-lock.json "$lock" &&
    [ -z "$(find package.json "$@" -name node_modules -prune -o -name dist -prune -o -name generated -prune -o -type f -newer "$built" -print | head -n 1)" ]
)

# Installs what folder $1 needs and builds it.
build_in() (
  cd "$1"
  if ! cmp -s package-lock.json "$lock"; then
    npm ci --no-audit --no-fund --loglevel=error >&2 || exit 1
    cp package-lock.json "$lock"
  fi
  touch "$built.new"
  npm run --silent build >&2 || exit 1
  mv "$built.new" "$built"
)

build() { build_in sdk/js && build_in web; }

case ${1:-} in
--can) can ;;
--or-without)
  if ! can || is_built; then exit 0; fi
  build || echo "The console, the shop and the browser SDKs could not be built; going on without them." >&2
  ;;
"")
  can || { echo "Node 20 or newer with npm is needed." >&2; exit 1; }
  is_built || build
  ;;
*) echo "usage: $0 [--or-without | --can]" >&2; exit 2 ;;
esac
