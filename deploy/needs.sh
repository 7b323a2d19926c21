#!/usr/bin/env bash
# Installs what the tests need beyond Rust and node: Debian's Chromium, a Japanese font, what makes
# network namespaces and a certificate for them, and coturn's client programs, which the TURN server
# is tried with.
# As root or by sudo; otherwise it says exactly what is missing and stops.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing+=(fonts-noto-cjk fontconfig)
command -v ip >/dev/null || [ -x /sbin/ip ] || missing+=(iproute2)
command -v openssl >/dev/null || missing+=(openssl)
command -v unshare >/dev/null || missing+=(util-linux)
without_coturn=${#missing[@]}
command -v turnutils_uclient >/dev/null || missing+=(coturn)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  echo "These Debian packages are missing: ${missing[*]}" >&2
  echo "Install them with: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi

echo "Installing: ${missing[*]}"
# coturn's package would start its server, which takes port 3478: only its programs are wanted.
# A masked unit is not started; without systemd /etc/default/coturn keeps it off.
if [ ${#missing[@]} -gt "$without_coturn" ] && [ -d /etc/systemd/system ]; then
  unit=/etc/systemd/system/coturn.service
  [ -e "$unit" ] || [ -L "$unit" ] || "${as_root[@]}" ln -s /dev/null "$unit"
fi
"${as_root[@]}" apt-get -qq update
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}"
