// The manifests: what the API knows, and what hangs together. No cluster is asked.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import YAML from "yaml";
import { bin, finish, folder, jwtSecret, root, secret } from "../lib/process.mjs";
import { test } from "../lib/runner.mjs";
import { kustomization } from "./kustomize.mjs";
import { faults } from "./schemas.mjs";

const here = path.join(root, "deploy/kubernetes");
const example = kustomization(path.join(here, "example"));
const base = kustomization(path.join(here, "base"));
const { manifests, maps, secrets } = example;

const kind = (name) => manifests.filter((m) => m.kind === name);
const named = (name, of) => kind(name).find((m) => m.metadata.name === of) ?? assert.fail(`no ${name} ${of}`);
const pods = kind("StatefulSet").map((set) => ({ name: set.metadata.name, labels: set.spec.template.metadata.labels, spec: set.spec.template.spec, set }));
const ours = pods.filter((pod) => ["world", "shard"].includes(pod.name));
const container = (pod) => pod.spec.containers[0];
const map = (name) => maps.find((m) => m.name === name) ?? assert.fail(`no ConfigMap ${name}`);
const seconds = (text) => Number(/^(\d+)s$/.exec(text)[1]);

/** Does a label selector take these labels? */
function selects(selector, labels) {
  const is = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return is && (selector.matchExpressions ?? []).every((e) => e.operator === "In" && e.values.includes(labels[e.key]));
}
const selected = (selector) => pods.filter((pod) => selects(selector, pod.labels));
const ports = (pod) => container(pod).ports;
const port = (pod, which) => ports(pod).find((p) => p.name === which || p.containerPort === which);

/** The environment that a pod's program gets, $(NAME) filled in; its own name is `name`. */
function environment(pod, name) {
  const env = Object.assign({}, ...(container(pod).envFrom ?? []).map((from) => map(from.configMapRef.name).literals));
  for (const { name: key, value, valueFrom } of container(pod).env) {
    assert.ok(!(key in env), `${pod.name}: ${key} is set twice`);
    assert.ok(valueFrom === undefined || valueFrom.fieldRef.fieldPath === "metadata.name");
    env[key] = value === undefined ? name : value.replace(/\$\((\w+)\)/g, (_, other) => env[other] ?? assert.fail(`${other} is not set before ${key}`));
  }
  return env;
}

test("manifests have the types of Kubernetes' schemas, and no key that those do not know", () => {
  for (const manifest of manifests) assert.deepEqual(faults(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
});

test("a wrong type, a missing and a misspelt key are noticed", () => {
  const fault = (change) => {
    const set = structuredClone(named("StatefulSet", "shard"));
    change(set.spec.template.spec, set);
    return faults(set).join("\n");
  };
  assert.match(fault((pod) => (pod.terminationGracePeriodSeconds = "45")), /terminationGracePeriodSeconds/);
  assert.match(fault((pod) => delete pod.containers), /containers/);
  assert.match(fault((pod) => (pod.containers[0].readynessProbe = {})), /unknown: \/spec\/template\/spec\/containers\/0\/readynessProbe/);
  assert.match(fault((pod) => (pod.containers[0].livenessProbe.httpGet.pfad = "/")), /unknown: .*httpGet\/pfad/);
  assert.match(fault((pod, set) => (set.spce = {})), /unknown: \/spce/);
  assert.match(faults({ apiVersion: "policy/v1", kind: "PodDisruptionBudge" }).join(), /no PodDisruptionBudge/);
});

test("each file is named, and only keys that kustomize knows", () => {
  const known = ["apiVersion", "kind", "namespace", "labels", "resources", "configMapGenerator", "secretGenerator", "images"];
  for (const { own, loose } of [base, example]) {
    assert.deepEqual(loose, []);
    assert.deepEqual(Object.keys(own).filter((key) => !known.includes(key)), []);
  }
});

test("environments are settings of the programs, which find them valid", async () => {
  for (const pod of ours) {
    const [program] = container(pod).command;
    const help = execFileSync(path.join(bin, program), ["--help"], { encoding: "utf8" });
    const settings = new Set(help.match(/\b[A-Z][A-Z_]+\b/g));
    for (const from of container(pod).envFrom) for (const key of Object.keys(map(from.configMapRef.name).literals)) assert.ok(settings.has(key), `${program} has no ${key}`);
    const env = environment(pod, `${pod.name}-0`);
    for (const key of Object.keys(env)) assert.ok(settings.has(key) || key === "POD_NAME", `${program} has no ${key}`);
    const files = folder();
    for (const [name, text] of [["shard-secret", secret], ["auth-jwt-secret", jwtSecret], ["redis-url", "redis://:p@redis:6379"]]) writeFileSync(path.join(files, name), text);
    for (const key of Object.keys(env).filter((k) => k.endsWith("_FILE"))) env[key] = path.join(files, path.basename(env[key]));
    assert.match((await finish(program, ["--check-config"], { ...env, HOST: "0.0.0.0" })).stdout, /the settings are valid/);
  }
});

test("doors are ports of the container, and others find them by a pod's name", () => {
  const doors = (pod) => environment(pod, `${pod.name}-0`);
  for (const pod of ours) {
    const env = doors(pod);
    assert.equal(port(pod, "public").containerPort, Number(env.PORT));
    assert.equal(env.INTERNAL_LISTEN, `0.0.0.0:${port(pod, "internal").containerPort}`);
    assert.equal(env.INTERNAL_URL, `http://${pod.name}-0.${pod.set.spec.serviceName}:${port(pod, "internal").containerPort}`);
  }
  const [world, shard] = ["world", "shard"].map((name) => pods.find((p) => p.name === name));
  assert.equal(doors(world).ADMIN_LISTEN, `0.0.0.0:${port(world, "management").containerPort}`);
  const all = (set, which) => Array.from({ length: set.set.spec.replicas }, (_, i) => `http://${set.name}-${i}.${set.set.spec.serviceName}:${port(set, which).containerPort}`).join(",");
  assert.equal(doors(shard).WORLD_URLS, all(world, "internal"));
  assert.equal(doors(shard).ROOM_SERVERS, all(pods.find((p) => p.name === "room"), "room"));
});

test("what pods mount is there", () => {
  for (const pod of pods) {
    const mounts = container(pod).volumeMounts.map((m) => m.name);
    for (const volume of pod.spec.volumes) {
      assert.ok(mounts.includes(volume.name));
      const { secret: of, configMap } = volume;
      const keys = (of ? secrets.find((s) => s.name === of.secretName) : map(configMap.name)).files.map((f) => f.key);
      for (const { key } of of?.items ?? []) assert.ok(keys.includes(key), `${pod.name}: ${key}`);
    }
    for (const { value } of (container(pod).env ?? []).filter((e) => e.name.endsWith("_FILE"))) {
      const mount = container(pod).volumeMounts.find((m) => value.startsWith(`${m.mountPath}/`));
      const { items } = pod.spec.volumes.find((v) => v.name === mount.name).secret;
      assert.ok(items.some((item) => `${mount.mountPath}/${item.path}` === value), value);
    }
  }
});

test("only what a program needs of the secrets is mounted, and deploy/secrets makes it", () => {
  const keys = (name) => pods.find((p) => p.name === name).spec.volumes.flatMap((v) => v.secret?.items ?? []).map((item) => item.key);
  assert.deepEqual(keys("shard"), ["shard-secret"]);
  assert.deepEqual(keys("room"), ["shard-secret"]);
  const made = /FILES=\((.*)\)/.exec(readFileSync(path.join(root, "deploy/secrets"), "utf8"))[1].split(" ");
  for (const { file } of secrets.flatMap((s) => s.files)) assert.ok(made.some((name) => file === `private/${name}`), file);
});

test("selectors take the pods that they mean, and ports are theirs", () => {
  for (const { set, labels } of pods) assert.ok(selects(set.spec.selector, labels));
  for (const service of kind("Service")) {
    const [pod, ...more] = selected({ matchLabels: service.spec.selector });
    assert.ok(pod && !more.length, service.metadata.name);
    for (const { targetPort } of service.spec.ports) assert.ok(port(pod, targetPort), `${service.metadata.name}: ${targetPort}`);
  }
  for (const { set } of pods) assert.equal(selected({ matchLabels: named("Service", set.spec.serviceName).spec.selector })[0].name, set.metadata.name);
  for (const budget of kind("PodDisruptionBudget")) assert.equal(selected(budget.spec.selector)[0].name, budget.metadata.name);
  for (const { http } of kind("Ingress").flatMap((i) => i.spec.rules))
    for (const { backend } of http.paths) assert.ok(named("Service", backend.service.name).spec.ports.some((p) => p.name === backend.service.port.name));
});

test("probes ask doors that are there", () => {
  for (const pod of pods) {
    const { startupProbe, livenessProbe, readinessProbe } = container(pod);
    for (const probe of [startupProbe, livenessProbe, readinessProbe].filter(Boolean)) assert.ok(port(pod, (probe.httpGet ?? probe.tcpSocket).port));
  }
  for (const pod of ours) {
    assert.equal(container(pod).livenessProbe.httpGet.path, "/livez");
    assert.equal(container(pod).readinessProbe.httpGet.path, "/readyz");
  }
});

test("a pod has more time than preStop and its drain take", () => {
  for (const pod of ours) {
    const before = Number(container(pod).lifecycle.preStop.exec.command[1]);
    const drain = seconds(environment(pod, "").DRAIN_DEADLINE ?? "2s");
    assert.ok(pod.spec.terminationGracePeriodSeconds >= before + drain + 10, pod.name);
  }
});

test("pods are confined", () => {
  for (const { name, spec } of pods) {
    assert.equal(spec.securityContext.runAsNonRoot, true, name);
    assert.deepEqual(spec.securityContext.seccompProfile, { type: "RuntimeDefault" });
    assert.equal(spec.automountServiceAccountToken, false);
    assert.equal(spec.enableServiceLinks, false); // else a Service's name becomes a setting
    const { securityContext, resources } = spec.containers[0];
    assert.deepEqual(securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } });
    assert.ok(resources.requests.memory && resources.limits.memory);
  }
  for (const pod of ours) assert.equal(pod.spec.securityContext.runAsUser, 10001);
});

test("who may speak to whom: both sides of each way are open, and no other", () => {
  const policies = kind("NetworkPolicy");
  assert.deepEqual(policies.find((p) => p.metadata.name === "nobody").spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  const ways = (direction, peers) => policies.filter((p) => p.spec[direction]).flatMap((policy) => selected(policy.spec.podSelector).flatMap((own) =>
    policy.spec[direction].flatMap((rule) => rule[peers].filter((p) => p.podSelector && !p.namespaceSelector).flatMap((peer) => selected(peer.podSelector).flatMap((other) =>
      rule.ports.map((p) => (direction === "egress" ? [own.name, other.name, port(other, p.port)] : [other.name, own.name, port(own, p.port)])))))))
    .map(([from, to, door]) => `${from} → ${to}:${door.containerPort}`).sort();
  const expected = ["shard → room:3003", "shard → shard:3011", "shard → world:3005", "world → redis:6379", "world → room:3003", "world → shard:3011", "world → world:3005"];
  assert.deepEqual(ways("egress", "to"), expected);
  assert.deepEqual(ways("ingress", "from"), expected);
});

test("the autoscaler asks for the metric that the rules and the adapter make of ours", () => {
  const read = (file) => YAML.parse(readFileSync(path.join(here, "metrics", file), "utf8"));
  const [{ external }] = named("HorizontalPodAutoscaler", "shard").spec.metrics;
  const [rule] = read("adapter.yaml").externalRules;
  assert.equal(rule.name.as, external.metric.name);
  const { rules } = read("terrane.scale.rules.yml").groups[0];
  assert.ok(rules.some((r) => rule.metricsQuery === `max(${r.record})` && rule.seriesQuery.includes(r.record)));
  const sources = ["world/io/metrics.c", "shard/io/metrics.c"].map((file) => readFileSync(path.join(root, file), "utf8")).join("");
  for (const [, program, name] of rules.map((r) => r.expr).join(" ").matchAll(/terrane_(world|shard)_(\w+)/g))
    assert.ok(sources.includes(`"terrane_${program}_${name}"`) || sources.includes(`{P "${name}"`), name);
  const jobs = read("prometheus.yml").scrape_configs;
  for (const pod of ours) {
    const { regex } = jobs.find((job) => job.job_name === `terrane-${pod.name}`).relabel_configs[0];
    const [label, door] = regex.split(";");
    assert.equal(label, pod.labels["app.kubernetes.io/name"]);
    assert.ok(port(pod, door));
  }
});

test("kustomize builds it where there is one, and nothing without secrets", () => {
  const version = spawnSync("kubectl", ["version", "--client", "--output=json"], { encoding: "utf8" });
  if (version.status !== 0 || Number.parseInt(JSON.parse(version.stdout).clientVersion.minor, 10) < 27) return;
  const to = folder();
  cpSync(here, to, { recursive: true, filter: (file) => path.basename(file) !== "private" });
  const build = () => spawnSync("kubectl", ["kustomize", path.join(to, "example")], { encoding: "utf8" });
  assert.match(build().stderr, /private/);
  mkdirSync(path.join(to, "example/private"));
  for (const { file } of secrets.flatMap((s) => s.files)) writeFileSync(path.join(to, "example", file), "x");
  const { stdout, stderr } = build();
  assert.equal(stderr, "");
  const names = (all) => all.filter((m) => !/ConfigMap|Secret/.test(m.kind)).map((m) => `${m.kind} ${m.metadata.name}`).sort();
  assert.deepEqual(names(YAML.parseAllDocuments(stdout).map((d) => d.toJS())), names(manifests));
});
