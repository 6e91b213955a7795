#!/usr/bin/env bash
# Runs a command in a fresh clone of HEAD, on this machine as it would be with Node.js and npm alone: a copy-on-write view of the disk, in a
# mount namespace of its own, from which browsers, global packages and caches are removed for good (not hidden: a package manager would
# believe that they are there). HOME is empty; of npm's configuration only the registry and its certificates are carried over.
#
#   tests/bare/bare-machine.sh npm test
#
# Exits with 77 where namespaces or overlays are not allowed.
set -euo pipefail

if [ "${HALFKEY_BARE:-}" != namespace ]; then
  root=$(cd "$(dirname "$0")/../.." && pwd)
  if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
    echo 'skipped: a bare machine needs root and mount namespaces' >&2
    exit 77
  fi
  box=$(mktemp -d)
  trap 'rmdir "$box"' EXIT
  # Processes end with the namespace, whatever became of the command.
  HALFKEY_BARE=namespace unshare --mount --pid --fork "$0" "$root" "$box" "$@"
  exit
fi

root=$1 box=$2
shift 2
mount -t tmpfs -o size=12g bare "$box"
mkdir "$box"/{changes,work,disk}
if ! mount -t overlay -o "lowerdir=/,upperdir=$box/changes,workdir=$box/work" bare "$box/disk" 2>/dev/null; then
  echo 'skipped: a bare machine needs overlay mounts' >&2
  exit 77
fi
disk=$box/disk
for folder in dev sys; do mount --rbind "/$folder" "$disk/$folder"; done
mount -t proc bare "$disk/proc"
mount -t tmpfs -o size=8g bare "$disk/tmp"
cp /etc/resolv.conf /etc/hosts "$disk/etc/"

# A clone knows nothing but what was committed.
git clone --quiet "$root" "$disk/tmp/halfkey"
registry=$(npm config get registry)
cafile=$(npm config get cafile)

chroot "$disk" bash -euo pipefail -s <<'PURGE'
export DEBIAN_FRONTEND=noninteractive
if command -v apt-get >/dev/null; then
  installed=$(dpkg-query -W -f='${Package}\n' 'chromium*' 'firefox*' 'google-chrome*' 'libwebkit*' 'webkit2gtk*' 'gir1.2-webkit2*' gjs xvfb 2>/dev/null || true)
  if [ -n "$installed" ]; then apt-get purge --yes --quiet=2 --allow-remove-essential $installed >/dev/null; fi
  apt-get clean
fi
modules=$(npm root --global)
find "$modules" -mindepth 1 -maxdepth 1 ! -name npm ! -name corepack -exec rm -rf {} +
rm -rf /root /home /opt/google /usr/local/share/chromium
mkdir -p /root /tmp/home
PURGE
for browser in chromium chromium-browser google-chrome firefox firefox-esr WebKitWebDriver; do
  if found=$(chroot "$disk" sh -c "command -v $browser"); then echo "$found is still there" >&2 && exit 1; fi
done

more=()
if [ "$cafile" != null ]; then more+=("npm_config_cafile=$cafile" "NODE_EXTRA_CA_CERTS=$cafile"); fi
if [ -n "${CI:-}" ]; then more+=("CI=$CI"); fi
exec env -i HOME=/tmp/home PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" \
  "npm_config_registry=$registry" npm_config_globalconfig=/tmp/home/none "${more[@]}" \
  chroot "$disk" bash -c 'cd /tmp/halfkey && exec "$@"' bare "$@"
