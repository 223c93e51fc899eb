# shellcheck shell=bash
# The stages of tests/run: each runs checks (which count as one) and suites (which count their own).
# Sourced by tests/run, after deploy/lib/steps.sh.

# shellcheck disable=SC2034 # tests/run uses it too
TEST_LOGS=build/test-logs
DEV_BIN=$PWD/build/dev/bin
JOBS=2
PASSED=0
FAILED=0

TEST_PACKAGES=(libcmocka-dev clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev cppcheck
    shellcheck curl ca-certificates chromium python3-websockets redis-tools openssl tmux mandoc systemd)

install_all() {
    packages_need "$TEST_LOGS/install.log" "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    node_need "$TEST_LOGS/install.log"
    npm_need tests "$TEST_LOGS/npm.log" || die "npm could not install the packages of tests/"
    npm_need tests/peers "$TEST_LOGS/npm.log" || die "npm could not install the packages of tests/peers/"
    npm_need deploy/demo/signe "$TEST_LOGS/npm.log" || die "npm could not install the packages of deploy/demo/signe/"
}

count() { # PASSED FAILED
    PASSED=$((PASSED + $1))
    FAILED=$((FAILED + $2))
}

# run_stage NAME WHERE: a stage that counts nothing has failed: it has run nothing.
run_stage() {
    local passed=$PASSED failed=$FAILED start=$SECONDS
    say ""
    say "== $1 ($2)"
    "stage_$1"
    if ((passed == PASSED && failed == FAILED)); then
        say "the stage ran nothing" >&2
        count 0 1
    fi
    say "== $1: $((PASSED - passed)) passed, $((FAILED - failed)) failed ($((SECONDS - start)) s)"
}

# check LABEL LOG COMMAND...: one check, passed when COMMAND succeeds.
check() {
    local label=$1 log=$TEST_LOGS/$2
    shift 2
    if long_step "$label" "$log" "$@"; then count 1 0; else count 0 1; fi
}

# builds PRESET: one check. build_preset shows its own steps, and can be stopped in them.
builds() {
    if build_preset "$1" "$TEST_LOGS/build-$1.log"; then count 1 0; else count 0 1; fi
}

# suite LABEL LOG COMMAND...: COMMAND closes with `N passed, N failed`.
suite() {
    local label=$1 log=$TEST_LOGS/$2 status=0 summary
    shift 2
    long_step "$label" "$log" "$@" || status=$?
    summary=$(grep -xE '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [[ ! $summary =~ ^([0-9]+)\ passed,\ ([0-9]+) ]]; then
        say "$label: did not come to its end" >&2
        count 0 1
        return
    fi
    count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    say "  $summary"
    grep '^FAIL' "$log" | sed 's/^/  /' >&2
    # A suite that fails without a failed test has still failed (a sanitizer's report at its end).
    if ((status && BASH_REMATCH[2] == 0)); then count 0 1; fi
}

c_sources() {
    find common world shard deploy tests -name node_modules -prune -o -name "${1:-*.[ch]}" -print | sort
}

# ---- ordinary

stage_build() { builds dev; }

stage_format() {
    c_sources >"$TEST_LOGS/format.files"
    check "clang-format" format.log xargs -a "$TEST_LOGS/format.files" clang-format-14 --dry-run -Werror
}

stage_shellcheck() {
    find .ci deploy tests -name node_modules -prune -o -type f -print |
        while read -r file; do
            [[ $file == *.sh || $(head -n 1 "$file" | tr -d '\0') == '#!'*sh ]] && printf '%s\n' "$file"
        done >"$TEST_LOGS/shellcheck.files"
    check "shellcheck" shellcheck.log xargs -a "$TEST_LOGS/shellcheck.files" shellcheck
}

stage_arch() { suite "the architecture" arch.log tests/arch/run; }

stage_docs() { suite "what is written" docs.log env TERRANE_BIN="$DEV_BIN" node tests/docs/run.mjs; }

stage_unit() { suite "unit tests and fuzz corpora" unit.log tests/lib/unit build/dev; }

# sim_seeds PROGRAM A B: the seeds from A to B, half of them by each of two processes.
sim_seeds() {
    local middle=$((($2 + $3) / 2)) status=0
    "$DEV_BIN/$1" --seeds "$2-$middle" &
    "$DEV_BIN/$1" --seeds "$((middle + 1))-$3" || status=1
    wait $! && return "$status"
}

# sim_misses PROGRAM FEATURE: without it, one of the seeds fails.
sim_misses() {
    "$DEV_BIN/$1" --seeds 0-499 --off "$2"
    (($? == 1))
}

stage_sim() {
    local feature
    check "500 simulated clusters" sim.log sim_seeds sim 0 499
    for feature in seq expiry returning repeat missing; do
        check "the simulation misses $feature" "sim-off-$feature.log" sim_misses sim "$feature"
    done
    check "200 simulated clusters that share leases" sim-leases.log sim_seeds sim-leases 0 199
    for feature in deadline grace epoch ago stored late; do
        check "that simulation misses $feature" "sim-leases-off-$feature.log" sim_misses sim-leases "$feature"
    done
}

stage_clang() { builds clang; }

stage_tidy() {
    # tests/ is left out: cmocka's macros and the recorders trip checks that are meant for servers.
    c_sources '*.c' | grep -v '^tests/' >"$TEST_LOGS/tidy.files"
    [[ -f build/clang/compile_commands.json ]] || build_preset clang "$TEST_LOGS/build-clang.log" || true
    # One file a run: from the second file on, clang-tidy 14 takes every va_list for uninitialised.
    check "clang-tidy" tidy.log xargs -a "$TEST_LOGS/tidy.files" -P "$JOBS" -n 1 \
        clang-tidy-14 -p build/clang --quiet
}

stage_cppcheck() {
    c_sources '*.c' | grep -v '^tests/' >"$TEST_LOGS/cppcheck.files"
    check "cppcheck" cppcheck.log cppcheck --file-list="$TEST_LOGS/cppcheck.files" -I . -D_GNU_SOURCE \
        '-Djson_object_foreach(o, k, v)=while (json_next(o, k, v))' \
        --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 --quiet \
        --suppressions-list=tests/lib/cppcheck.txt -j "$JOBS"
}

stage_analyze() { builds analyze; }

kit() { # LABEL LOG ARGUMENT...
    local label=$1 log=$2
    shift 2
    suite "$label" "$log" env TERRANE_BIN="$DEV_BIN" node tests/conformance/against.mjs "$@"
}

stage_conformance() {
    suite "conformance: our programs, and each of them with the reference's" conformance.log \
        env TERRANE_BIN="$DEV_BIN" tests/conformance/pairs "$TEST_LOGS"
}

stage_rfc6455() {
    suite "RFC 6455: raw cases, and real clients" rfc6455.log env TERRANE_BIN="$DEV_BIN" node tests/rfc6455/run.mjs
}

stage_openapi() {
    suite "the OpenAPI document, and live answers by it" openapi.log env TERRANE_BIN="$DEV_BIN" node tests/openapi/run.mjs
}

stage_system() {
    suite "system tests" system.log env TERRANE_BIN="$DEV_BIN" tests/lib/parts "$JOBS" "$TEST_LOGS/system.log" \
        node tests/system/run.mjs
}

# Prometheus is unpacked and not installed: its package would start a service.
prometheus_unpack() { # FOLDER
    rm -rf "$1" && mkdir -p "$1/deb" &&
        (cd "$1/deb" && apt-get -o DPkg::Lock::Timeout=300 download prometheus) &&
        dpkg-deb -x "$1"/deb/prometheus_*.deb "$1" && rm -r "$1/deb"
}

stage_prometheus() {
    local folder=build/prometheus
    if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null; then
        [[ -x $folder/usr/bin/promtool ]] ||
            long_step "unpacking prometheus" "$TEST_LOGS/prometheus-deb.log" prometheus_unpack "$folder" ||
            die "could not fetch the Debian package prometheus; is the mirror reachable?"
    fi
    suite "metrics, rules and the dashboard, by Prometheus" prometheus.log env TERRANE_BIN="$DEV_BIN" \
        PATH="$PATH:$PWD/$folder/usr/bin" node tests/system/prometheus.mjs
}

stage_worlds() {
    suite "several worlds" worlds.log env TERRANE_BIN="$DEV_BIN" node tests/system/worlds.mjs
}

stage_peers() {
    suite "servers that know nothing of us, with their clients" peers.log env TERRANE_BIN="$DEV_BIN" \
        node tests/peers/run.mjs
}

stage_deploy() { suite "what is deployed" deploy.log env TERRANE_BIN="$DEV_BIN" node tests/deploy/lint.mjs; }

stage_up() { suite "deploy/up" up.log node tests/system/up.mjs; }

stage_browser() {
    suite "the demo page in a browser" browser.log env TERRANE_BIN="$DEV_BIN" node tests/system/browser.mjs
}

stage_ctl() {
    suite "worldctl" ctl.log env TERRANE_BIN="$DEV_BIN" node tests/ctl/run.mjs
}

stage_console() {
    suite "the dashboard in a browser" console.log env TERRANE_BIN="$DEV_BIN" node tests/console/run.mjs
}

# ---- beside

BESIDE_PID= # stages that go on beside others: a process group
BESIDE_LOG=$TEST_LOGS/beside.log

# beside_begin STAGE...: with what the others leave of the machine.
beside_begin() {
    rm -f "$BESIDE_LOG.status"
    set -m
    {
        nice -n 15 tests/run "${@/#/--only=}" >"$BESIDE_LOG" 2>&1 </dev/null
        echo $? >"$BESIDE_LOG.status"
    } &
    BESIDE_PID=$!
    set +m
}

# Waits for them, and tells what they said.
stage_beside() {
    long_step "what goes on beside" "$TEST_LOGS/beside.wait.log" bash -c "until [[ -s $BESIDE_LOG.status ]]; do sleep 0.2; done"
    sed 's/^/  /' "$BESIDE_LOG"
    if [[ $(tail -n 1 "$BESIDE_LOG") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
    else
        count 0 1
    fi
    BESIDE_PID=
}

beside_stop() {
    [[ ! $BESIDE_PID ]] || kill -TERM -- "-$BESIDE_PID" 2>/dev/null
}

# ---- long

SLOW_PID= # the slow conformance cases under way: a process group
SLOW_LOG=$TEST_LOGS/conformance-slow-cases.log

# They wait for minutes and cost nothing: other stages go on beside them.
slow_begin() {
    rm -f "$SLOW_LOG.status"
    set -m
    {
        env TERRANE_BIN="$DEV_BIN" node tests/conformance/against.mjs --world ours --shards ours \
            -- --slow --only-tags slow >"$SLOW_LOG" 2>&1 </dev/null
        echo $? >"$SLOW_LOG.status"
    } &
    SLOW_PID=$!
    set +m
}

# Waits for them; closes as they do.
slow_end() {
    until [[ -s $SLOW_LOG.status ]]; do sleep 0.2; done
    cat "$SLOW_LOG"
    return "$(<"$SLOW_LOG.status")"
}

slow_stop() {
    [[ ! $SLOW_PID ]] || kill -TERM -- "-$SLOW_PID" 2>/dev/null
}

stage_slow() {
    [[ $SLOW_PID ]] || slow_begin
    suite "conformance: the slow cases" conformance-slow.log slow_end
    suite "a node's drain of 10 s" drain.log env TERRANE_BIN="$DEV_BIN" DRAIN_SECONDS=10 \
        node tests/system/run.mjs "talking clients"
}

stage_faults() {
    suite "failures in full" faults.log env TERRANE_BIN="$DEV_BIN" node tests/system/faults.mjs
}

stage_edge() {
    suite "1 000 clients, 10 of which never read" edge.log env TERRANE_BIN="$DEV_BIN" \
        node tests/system/slow_consumers.mjs
    suite "500 rude clients for a minute" rude.log env TERRANE_BIN="$DEV_BIN" RUDE_CLIENTS=500 RUDE_SECONDS=60 \
        node tests/system/run.mjs "rude clients"
    # The load tools are in the bench preset: there it is the node that is measured.
    builds bench
    suite "room servers that fail under 1 000 clients" room_restart.log env TERRANE_BIN="$PWD/build/bench/bin" \
        node tests/system/room_restart.mjs
    suite "2 000 clients that use memory up" memory.log env TERRANE_BIN="$PWD/build/bench/bin" \
        node tests/system/memory.mjs
    suite "a storm of 5 000 clients" storm.log env TERRANE_BIN="$PWD/build/bench/bin" STORM=5000 STORM_RATE=500 \
        STORM_STAY=200 node tests/system/run.mjs "cut off at once" "go before newcomers"
}

stage_outages() {
    local apart=()
    # In a network of its own a test can pull a cable. That takes root.
    if command -v ip >/dev/null && unshare --net true 2>/dev/null; then
        # shellcheck disable=SC2016 # the inner shell's
        apart=(env WORLDS_APART=1 unshare --net bash -c 'ip link set lo up && exec "$@"' apart)
    fi
    suite "several worlds in full" outages.log env TERRANE_BIN="$DEV_BIN" WORLDS=long \
        "${apart[@]}" node tests/system/worlds.mjs
}

stage_fuzz() {
    builds fuzz
    suite "fuzzing each target for ${FUZZ_SECONDS:-15} s" fuzz.log tests/fuzz/run "${FUZZ_SECONDS:-15}" "$TEST_LOGS"
}

stage_longsim() {
    local count=${SIM_SEEDS:-1000}
    check "$count more simulated clusters" longsim.log sim_seeds sim 500 $((499 + count))
    check "$count more that share leases" longsim-leases.log sim_seeds sim-leases 500 $((499 + count))
}

stage_signe() {
    suite "the demo on @signe/room in a browser" signe.log env TERRANE_BIN="$DEV_BIN" \
        node tests/system/browser.mjs --room signe
    suite "deploy/up --room signe" up-signe.log node tests/system/up.mjs --room signe "it builds" "one process dies"
}

make_package() {
    rm -f build/package/*.deb
    cpack -G DEB -B build/package --config build/release/CPackConfig.cmake
}

stage_package() {
    packages_need "$TEST_LOGS/install-package.log" dpkg-dev file lintian mmdebstrap
    builds release
    check "the Debian package" package-deb.log make_package
    suite "the Debian package in a clean Debian" package.log \
        env TERRANE_DEB="$(echo build/package/terrane_*.deb)" node tests/deploy/package.mjs
}

# A minute of it is Debian, three are the builds of the images, the rest are containers.
stage_containers() {
    packages_need "$TEST_LOGS/install.log" docker.io docker-compose containerd runc iptables iproute2 mmdebstrap
    if ! tests/deploy/containers --can >"$TEST_LOGS/containers.log" 2>&1; then
        say "  skipped: no Docker daemon runs here (docker info fails); see $TEST_LOGS/containers.log"
        if [[ ${SKIPS-} == fail ]]; then count 0 1; else count 1 0; fi
        return
    fi
    suite "the images, and the cluster of deploy/compose.yaml" containers.log tests/deploy/containers
}

stage_bench() { check "a short benchmark" bench.log tests/bench/run --quick; }
