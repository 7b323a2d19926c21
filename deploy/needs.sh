#!/usr/bin/env bash
# Installs what a new machine lacks, by part: `build` is what `make run` compiles with, `tests` what
# the tests need beyond it, `bench` the programs that the benchmarks compare with, `ladder` what
# speaks over a poor line. Packages are Debian's, as root or by sudo; otherwise it says exactly what is
# missing and stops. Rust and Node are not installed, because Debian 12 has them too old: it says so.
set -euo pipefail
root="$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
needs() { missing+=("$@"); }
has() { command -v "$1" >/dev/null; }

# The least version that a file of the project names, behind these words.
least() {
  local line
  while read -r line; do
    [[ $line =~ ^\"?$2[^0-9]*([0-9.]+) ]] && echo "${BASH_REMATCH[1]}" && return
  done <"$root/$1"
}

# Whether "a.b" is at least "c.d".
is_enough() {
  local IFS=. have least
  read -ra have <<<"$1"
  read -ra least <<<"$2"
  ((have[0] > least[0] || (have[0] == least[0] && ${have[1]:-0} >= ${least[1]:-0})))
}

# Stops unless a program is there in this version: name, program, least version, where it comes from.
must_be() {
  local found
  found="$("$2" --version 2>/dev/null || true)"
  if ! [[ $found =~ ([0-9]+\.[0-9]+) ]]; then
    echo "$1 is missing: $3 or newer is needed ($2 is not found). $4" >&2
    exit 1
  fi
  if ! is_enough "${BASH_REMATCH[1]}" "$3"; then
    echo "$1 is too old: $3 or newer is needed, $2 is ${BASH_REMATCH[1]}. $4" >&2
    exit 1
  fi
}

build() {
  local rust node
  rust="$(least Cargo.toml rust-version)"
  node="$(least web/package.json node)"
  must_be Rust rustc "$rust" "https://rustup.rs installs it; afterwards open a new shell."
  must_be Rust cargo "$rust" "https://rustup.rs installs it; afterwards open a new shell."
  must_be Node node "$node" "https://nodejs.org/en/download has it for Debian."
  must_be npm npm 9 "It comes with Node from https://nodejs.org/en/download."
  has cc || needs build-essential
}

tests() {
  has chromium || needs chromium
  # Not by a pipe: grep ends at the first match, and what is killed by that would look like a failure.
  local fonts
  fonts="$(fc-list 2>/dev/null || true)"
  [[ ${fonts,,} == *noto*cjk* ]] || needs fonts-noto-cjk fontconfig
  has ip || [ -x /sbin/ip ] || needs iproute2
  has openssl || needs openssl
  has unshare || needs util-linux
  # Devices by radio: the message bus's headers, a bus, and the radio's service played on it.
  has pkg-config || needs pkg-config
  pkg-config --exists dbus-1 2>/dev/null || needs libdbus-1-dev
  has dbus-daemon || needs dbus
  /usr/bin/python3 -c 'import dbusmock' 2>/dev/null || needs python3-dbusmock
  # The TURN server is tried with its client programs.
  has turnutils_uclient || needs coturn
}

bench() {
  has turnserver || needs coturn
  has janus || needs janus
  has chromium || needs chromium
}

ladder() {
  has chromium || needs chromium
  has ip || [ -x /sbin/ip ] || needs iproute2
  has espeak-ng || needs espeak-ng
}

for part in "${@:-build}"; do
  case "$part" in
  build | tests | bench | ladder) "$part" ;;
  *)
    echo "there is no part $part; there are build, tests, bench and ladder" >&2
    exit 2
    ;;
  esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "These Debian packages are missing: ${missing[*]}" >&2
  echo "Install them with: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "Installing: ${missing[*]}"
# Two of the packages would start servers, which take ports: only their programs are wanted. A masked
# unit is not started; without systemd nothing starts them.
for server in coturn janus; do
  [[ " ${missing[*]} " == *" $server "* ]] && [ -d /etc/systemd/system ] || continue
  unit=/etc/systemd/system/$server.service
  [ -e "$unit" ] || [ -L "$unit" ] || "${as_root[@]}" ln -s /dev/null "$unit"
done
"${as_root[@]}" apt-get -qq update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get -qq install -y --no-install-recommends "${missing[@]}"
