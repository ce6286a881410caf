#!/bin/sh
# Says what is missing before anything is compiled, with the command that installs it, and how long a
# first build takes: scripts/check-tools.sh BINARY. Fails when the program cannot be built; without Node it
# only says what will be missing.
set -eu

binary=$1
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
missing=0

sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo "

# The command that installs $1 (by kind) on this system.
install_with() {
  if [ "$(uname)" = Darwin ]; then
    case $1 in cc | make) echo "xcode-select --install" ;; node) echo "brew install node" ;; esac
  elif command -v apt-get >/dev/null; then
    case $1 in cc) p="gcc libc6-dev" ;; make) p=make ;; node) p="nodejs npm" ;; esac
    echo "${sudo}apt-get install -y $p"
  elif command -v dnf >/dev/null; then
    case $1 in cc) p="gcc glibc-devel" ;; make) p=make ;; node) p=nodejs ;; esac
    echo "${sudo}dnf install -y $p"
  elif command -v pacman >/dev/null; then
    case $1 in cc) p=gcc ;; make) p=make ;; node) p="nodejs npm" ;; esac
    echo "${sudo}pacman -S $p"
  elif command -v apk >/dev/null; then
    case $1 in cc) p="gcc musl-dev" ;; make) p=make ;; node) p="nodejs npm" ;; esac
    echo "${sudo}apk add $p"
  else
    echo "your system's package manager"
  fi
}

need() {
  echo "missing: $1" >&2
  echo "  install it with: $2" >&2
  missing=1
}

compiles() {
  folder=$(mktemp -d)
  printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' >"$folder/a.c"
  status=0
  "${CC:-cc}" -o "$folder/a" "$folder/a.c" >/dev/null 2>&1 || status=1
  rm -rf "$folder"
  return "$status"
}

cargo=${CARGO:-cargo}
if ! command -v "$cargo" >/dev/null; then
  need "cargo, the Rust toolchain" "curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y && . \"\$HOME/.cargo/env\""
elif [ ! -x "$binary" ]; then
  wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)"/\1/p' "$root/Cargo.toml")
  found=$(cd "$root" && "$cargo" --version 2>/dev/null | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
  if [ "${found%%.*}" != "${wanted%%.*}" ] || [ "${found#*.}" -lt "${wanted#*.}" ]; then
    need "Rust $wanted or newer (found: ${found:-none})" "rustup toolchain install $wanted"
  fi
fi
if [ ! -x "$binary" ] && ! compiles; then
  need "a C compiler with its headers (cc)" "$(install_with cc)"
fi
command -v "${MAKE:-make}" >/dev/null || command -v make >/dev/null || need "make" "$(install_with make)"
[ "$missing" = 0 ] || exit 1

"$root/scripts/web.sh" --can || {
  echo "Node 20 or newer with npm is missing: all will work but the shop and the browser SDK." >&2
  echo "  install it with: $(install_with node)" >&2
}
if [ ! -x "$binary" ]; then
  echo "The first build takes 4 to 9 minutes on 2 cores; later ones only what has changed." >&2
fi
