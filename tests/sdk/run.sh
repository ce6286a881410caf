#!/bin/sh
# Runs the official SDKs against a server binary: tests/sdk/run.sh target/debug/selfsame
# Starts `dev` and `demo` on free ports of the loopback, each with a data folder of
# its own, and stops both at the end. SHOT_DIR=folder keeps screenshots of the shop.
set -eu

[ $# -eq 1 ] && [ -x "$1" ] || { echo "usage: $0 SERVER_BINARY" >&2; exit 2; }
binary=$(CDPATH= cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
work=$(mktemp -d)
servers=""

finish() {
  for pid in $servers; do kill "$pid" 2>/dev/null || true; done
  for pid in $servers; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# Starts `binary $1` on port $2 and waits until it is ready; its output goes to $work/$1.log.
start() {
  mkdir "$work/$1"
  (cd "$work/$1" && exec "$binary" "$1" --listen "127.0.0.1:$2") >"$work/$1.log" 2>&1 &
  servers="$servers $!"
  tries=0
  until curl -sf -o /dev/null "http://127.0.0.1:$2/readyz"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 75 ] || ! kill -0 "$!" 2>/dev/null; then
      echo "$1 did not become ready:" >&2
      tail -n 50 "$work/$1.log" >&2
      exit 1
    fi
    sleep 0.2
  done
}

"$here/install.sh"
# What the test of mappings asks; here, because its build counts for no test.
(cd "$root" && "${CARGO:-cargo}" build --quiet --locked -p selfsame-mapping --example mapping-answers)
dev_port=$(free_port)
start dev "$dev_port"
demo_port=$(free_port)
start demo "$demo_port"

export SELFSAME_URL="http://127.0.0.1:$dev_port"
export SELFSAME_DEMO_URL="http://127.0.0.1:$demo_port"
export SELFSAME_WRITE_KEY=dev SELFSAME_TOKEN=dev SELFSAME_SPACE=dev

failed=0
(cd "$here" && timeout 200 node --test --test-concurrency=1 test/) || failed=1
(cd "$here/python" && timeout 40 "$root/.tools/venv/bin/python" -m unittest -v test_analytics) || failed=1
if [ "$failed" = 1 ]; then
  for name in dev demo; do echo "--- last of $name"; tail -n 20 "$work/$name.log"; done >&2
fi
exit "$failed"
