# shellcheck shell=bash
# A Docker daemon of our own, and images under the public names, made of Debian packages: no container
# registry is asked. Sourced by tests/deploy/containers, after deploy/lib/steps.sh; $WORK is its folder.

export PATH=/usr/bin:$PATH # Debian's docker has BuildKit built in
export DOCKER_HOST=unix://$WORK/docker.sock DOCKER_BUILDKIT=1 BUILDKIT_PROGRESS=plain
export DOCKER_CONFIG=$WORK/config
DAEMON=

# daemon_start OPTION...: dockerd with its data in $WORK, until daemon_stop. Fails where none can run.
daemon_start() {
    local limit deadline=$((SECONDS + 30))
    limit=$(ulimit -Hn)
    mkdir -p "$WORK/config"
    cat >"$WORK/daemon.json" <<JSON
{"data-root": "$WORK/data", "exec-root": "$WORK/exec", "pidfile": "$WORK/dockerd.pid", "hosts": ["$DOCKER_HOST"],
 "default-ulimits": {"nofile": {"Name": "nofile", "Hard": $limit, "Soft": $limit}}}
JSON
    setsid dockerd --config-file "$WORK/daemon.json" "$@" >>"$WORK/dockerd.log" 2>&1 </dev/null &
    DAEMON=$!
    until docker info >/dev/null 2>&1; do
        if ! kill -0 "$DAEMON" 2>/dev/null || ((SECONDS >= deadline)); then
            tail -n 5 "$WORK/dockerd.log" >&2
            return 1
        fi
        nap 0.1
    done
}

daemon_stop() {
    [[ $DAEMON ]] || return 0
    kill -TERM "$DAEMON" 2>/dev/null
    wait "$DAEMON" 2>/dev/null
    DAEMON=
}

# Debian 12 with nothing in it, as `debian:bookworm-slim`.
# shellcheck disable=SC2016 # mmdebstrap's own shell expands it
base_image() {
    docker image inspect debian:bookworm-slim >/dev/null 2>&1 && return
    [[ -s $WORK/base.tar ]] ||
        mmdebstrap --quiet --variant=minbase --mode=root --include=ca-certificates \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --customize-hook='rm -rf "$1"/var/lib/apt/lists/*' \
            bookworm "$WORK/base.tar" /etc/apt/sources.list.d/debian.sources || return 1
    docker import -c 'CMD ["bash"]' "$WORK/base.tar" debian:bookworm-slim
}

# standin NAME TARGET: one of tests/deploy/standins/Dockerfile.
standin() {
    docker build --network host -f tests/deploy/standins/Dockerfile --target "$2" -t "$1" "$WORK/context"
}

# The other public images that deploy/ names. Node is this machine's own, with what it needs to reach npm.
standin_images() {
    local context=$WORK/context
    mkdir -p "$context"
    cp -L "$(command -v node)" "$context/node"
    cp -rL "$(dirname "$(readlink -f "$(command -v npm)")")/.." "$context/npm"
    cp /etc/ssl/certs/ca-certificates.crt "$context/"
    standin node:20-bookworm-slim node && standin redis:7-bookworm redis &&
        standin haproxy:2.6-bookworm haproxy && standin prom/prometheus:v2.42.0 prometheus
}

# our_image TARGET TAG
our_image() {
    docker build --network host -f deploy/Dockerfile --target "$1" -t "$2" \
        --build-arg VERSION="$(version)" --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" .
}

version() { sed -n 's/.*TERRANE_VERSION "\(.*\)"/\1/p' common/base/version.h; }
