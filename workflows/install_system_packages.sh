#!/bin/sh
# Install the system packages of the lists, only those that are missing.
#   install_system_packages.sh PYTHON PACKAGES.txt...
set -eu
python=$1
shift
packages=$(cat "$@" | grep -v '^#' | tr '\n' ' ')

as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
fi
if command -v apt-get >/dev/null && { [ -z "$as_root" ] || command -v sudo >/dev/null; }; then
    missing=
    for package in $packages; do
        if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing="$missing $package"
        fi
    done
    if [ -n "$missing" ]; then
        echo "installing system packages:$missing"
        $as_root apt-get update -qq
        # shellcheck disable=SC2086  (a list of packages)
        $as_root apt-get install -y -qq --no-install-recommends $missing
    fi
fi
if ! "$python" -c 'import cv2, weasyprint'; then
    echo "OpenCV or Pango cannot be loaded; install these system packages, then repeat: $packages" >&2
    exit 1
fi
