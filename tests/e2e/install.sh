#!/usr/bin/env bash
# Installs the Debian packages that the end-to-end tests drive, or says by name which could not be had.
set -euo pipefail

need() { # need COMMAND PACKAGE...
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    local root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo)
    echo "tests/e2e: installing $*" >&2
    if ! { "${root[@]}" apt-get update -qq &&
           "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" &&
           command -v "$command" >/dev/null; } >&2; then
        echo "tests/e2e: '$command' is missing, and apt-get could not install it from $*" >&2
        exit 1
    fi
}

PATH=$PATH:/usr/sbin # where Debian keeps haproxy, and where not everybody looks
need chromium chromium fonts-liberation
need haproxy haproxy
