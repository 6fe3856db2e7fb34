#!/usr/bin/env bash
# Installs what the end-to-end tests drive, Debian's packages and the AWS SDK for JavaScript, or says by name
# which could not be had.
set -euo pipefail
cd "$(dirname "$0")"

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
need sshd openssh-server openssh-client sudo
need /usr/bin/aws awscli # by its path: another one may stand before it
need node nodejs
need npm npm

# npm notes in node_modules what it has installed, and when.
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
    echo "tests/e2e: installing the AWS SDK for JavaScript" >&2
    if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2; then
        echo "tests/e2e: npm could not install what tests/e2e/package-lock.json lists" >&2
        exit 1
    fi
fi
