#!/usr/bin/env bash
# What `make island` runs beside the link: the clinic and a doctor's browser on the mainland, a
# nurse's browser on the island. All of it ends when the nurse's browser is closed, or on Ctrl-C.
# Its files are in a folder that ends with the link.
set -euo pipefail

built=$1
island="$built/minato-island"
address=203.0.113.1
origin="http://$address:8080"
files=$(mktemp -d)
log="$files/clinic.log"

"$island" in mainland -- "$built/minato" --demo --demo-beyond-loopback \
  --listen "$address:8080" --media "$address:0" --data "$files/data" >"$log" 2>&1 &
clinic=$!

until grep -q 'Each link signs in once' "$log"; do
  kill -0 "$clinic" 2>/dev/null || { cat "$log" >&2; exit 1; }
  sleep 0.1
done
sed -n '/^Minato listens/,/^Each link/p' "$log"

link_of() { sed -n "s|^ *$1 .*\(http://.*\)|\1|p" "$log" | head -n 1; }

# As root of the namespaces Chromium cannot have its sandbox; it opens nothing but the clinic. A
# camera wants a secure address, and this one is plain http over a link of this machine.
browser() {
  local side=$1 who=$2 at=$3
  "$island" in "$side" -- "$chromium" --no-sandbox --no-first-run --no-default-browser-check \
    --user-data-dir="$files/$who" --unsafely-treat-insecure-origin-as-secure="$origin" \
    --disable-background-networking --disable-component-update --disable-sync \
    --disable-quic --disable-features=Translate --lang=ja --test-type \
    --window-position="$at" --window-size=960,900 ${BROWSER_FLAGS:-} "$(link_of "$who")" >"$files/$who.log" 2>&1
}

chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ -z "$chromium" ]; then
  cat <<SENTENCE

There is no display or no Chromium here, so nothing was opened. The clinic runs behind the link.
Its addresses exist only there: from a terminal with a display, enter the island by the command
printed above (nsenter --net=...) with a browser as COMMAND, started with
  --user-data-dir=DIR --unsafely-treat-insecure-origin-as-secure=$origin
and open the nurse's address in it; the doctor's on the mainland likewise. Ctrl-C ends all of it.
SENTENCE
  wait "$clinic"
  exit
fi

echo
echo "The doctor's browser is on the mainland, the nurse's on the island, the poor link between them."
echo "Type here to change it: status, delay 300, up loss 20, rate 64k, blackout 30s."
browser mainland abe 0,0 &
browser island nurse 960,40 || true
