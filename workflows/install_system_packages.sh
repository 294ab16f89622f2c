#!/bin/sh
# Install the few system libraries that OpenCV needs, only where they are missing.
#   install_system_packages.sh PYTHON PACKAGES.txt
set -eu
python=$1
packages=$(grep -v '^#' "$2" | tr '\n' ' ')

if "$python" -c 'import cv2' 2>/dev/null; then
    exit 0
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
fi
if command -v apt-get >/dev/null && { [ -z "$as_root" ] || command -v sudo >/dev/null; }; then
    echo "installing system libraries: $packages"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086  (a list of packages)
    $as_root apt-get install -y -qq --no-install-recommends $packages
fi
if ! "$python" -c 'import cv2'; then
    echo "OpenCV cannot be loaded; install these system packages, then repeat: $packages" >&2
    exit 1
fi
