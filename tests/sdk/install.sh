#!/bin/sh
# Installs what the SDK tests need: node packages here, in web/ and in sdk/js/, a Python
# environment in .tools/venv, Chromium. Quick when all is there.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
venv=$root/.tools/venv

# Runs `npm ci` in $1 unless the lock file is the one that was installed last.
node_packages() {
  mark=$1/node_modules/.selfsame-lock
  if ! cmp -s "$1/package-lock.json" "$mark"; then
    (cd "$1" && npm ci --no-audit --no-fund)
    cp "$1/package-lock.json" "$mark"
  fi
}

python_packages() {
  mark=$venv/.selfsame-requirements
  if ! cmp -s "$here/python/requirements.txt" "$mark"; then
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/python/requirements.txt"
    cp "$here/python/requirements.txt" "$mark"
  fi
}

browser() {
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] && return
  command -v apt-get >/dev/null || { echo "Install Chromium and set CHROMIUM to its path." >&2; exit 1; }
  if [ "$(id -u)" = 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null; then
    as_root="sudo"
  else
    echo "Chromium is missing. As root, run: apt-get update && apt-get install -y chromium" >&2
    exit 1
  fi
  $as_root apt-get update
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y chromium
}

node_packages "$root/web"
node_packages "$root/sdk/js"
node_packages "$here"
python_packages
browser
