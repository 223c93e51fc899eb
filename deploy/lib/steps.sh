# shellcheck shell=bash
# What deploy/up and tests/run share: a line per step, progress on long ones, Debian packages, Node.
# Sourced, not run. The sourcing script calls `steps_stop` when it ends.

# What it takes to build the programs on Debian 12.
# shellcheck disable=SC2034 # used by the scripts that source this file
BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config libevent-dev libjansson-dev libjwt-dev
    libssl-dev libhttp-parser-dev libsqlite3-dev libhiredis-dev zlib1g-dev libwebsockets-dev
    libncurses-dev)

say() { printf '%s\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# A signal only leaves a note, with the status to exit with, and `nap` reads it: inside a trap bash
# does not notice which of its processes have ended.
INTERRUPTED=
trap 'INTERRUPTED=130' INT TERM HUP

# nap SECONDS: sleeps without a process, and ends the script when it has been interrupted.
exec {NEVER}<> <(:) # nothing is ever written into it
nap() {
    read -rt "$1" -u "$NEVER"
    [[ -z $INTERRUPTED ]] || exit "$INTERRUPTED"
}

STEP_PID= # the long step under way: a process group of its own, so that all of it can be stopped

# long_step LABEL LOG COMMAND...: runs COMMAND with its output in LOG, says every few seconds how far
# it is, and on failure shows the end of LOG. Returns the command's status.
long_step() {
    local label=$1 log=$2 start=$SECONDS said=$SECONDS status=0
    shift 2
    say "$label ..."
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    STEP_PID=$!
    set +m
    while kill -0 "$STEP_PID" 2>/dev/null; do
        nap 0.1
        if ((SECONDS - said >= 5)); then
            said=$SECONDS
            say "  ... $((SECONDS - start)) s: $(tail -n 1 "$log" | tr -cd '[:print:]' | cut -c 1-70)"
        fi
    done
    wait "$STEP_PID" || status=$?
    STEP_PID=
    if ((status)); then
        say "$label: failed with status $status; the end of $log:" >&2
        tail -n 25 "$log" | sed 's/^/  | /' >&2
    fi
    return "$status"
}

# Ends the long step under way, if there is one.
steps_stop() {
    [[ $STEP_PID ]] || return 0
    kill -TERM -- "-$STEP_PID" 2>/dev/null
    wait "$STEP_PID" 2>/dev/null
    STEP_PID=
}

# Prints those of the packages named that are not installed.
packages_missing() {
    local have name
    have=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)
    for name in "$@"; do
        [[ $'\n'$have$'\n' == *$'\n'"$name installed"$'\n'* ]] || printf '%s ' "$name"
    done
}

# packages_need LOG PACKAGE...: installs what is missing; dies with the names where it cannot.
packages_need() {
    local log=$1 missing
    shift
    command -v dpkg-query >/dev/null ||
        die "this is not Debian; install what these Debian 12 packages hold, by hand: $*"
    missing=$(packages_missing "$@")
    [[ $missing ]] || return 0
    ((EUID == 0)) || die "packages are missing and only root can install them:
  apt-get update && apt-get install -y --no-install-recommends $missing"
    command -v apt-get >/dev/null || die "there is no apt-get to install $missing"
    export DEBIAN_FRONTEND=noninteractive
    long_step "reading the package lists" "$log" apt-get -o DPkg::Lock::Timeout=300 update ||
        die "apt-get update failed; is the Debian mirror reachable?"
    # shellcheck disable=SC2086 # a list of names
    long_step "installing $missing" "$log" apt-get -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends $missing || die "could not install $missing"
}

# node_need LOG: Node 18 or newer with npm, from Debian where there is none.
node_need() {
    local major
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=0
    if ((major < 18)) || ! command -v npm >/dev/null; then
        packages_need "$1" nodejs npm ca-certificates
    fi
}

# npm_need FOLDER LOG: installs FOLDER's locked packages, unless that has been done.
npm_need() {
    local folder=$1 done_mark=$1/node_modules/.installed
    cmp -s "$folder/package-lock.json" "$done_mark" && return 0
    long_step "installing the npm packages of $folder" "$2" \
        npm ci --prefix "$folder" --no-audit --no-fund --loglevel=http || return 1
    cp "$folder/package-lock.json" "$done_mark"
}

# build_preset PRESET LOG: configures when that has not been done for this folder, and builds.
build_preset() {
    local preset=$1 log=$2 cache=build/$1/CMakeCache.txt
    if [[ ! -f build/$preset/build.ninja ]] || ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then
        long_step "configuring the $preset build" "$log" cmake --fresh --preset "$preset" || return 1
    fi
    long_step "building ($preset)" "$log" cmake --build --preset "$preset"
}
