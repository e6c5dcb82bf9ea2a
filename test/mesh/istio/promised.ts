/**
 * What the policies of a contract promise, in numbers a proxy has. Read by the code with which processes obey them,
 * not by the generator's: istiod's translation of what was generated is held against it.
 */
import { createFileRegistry, type DescMethod, type DescService, hasOption } from "@bufbuild/protobuf";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { meshNameOf, policyOf } from "#mesh/runtime/policy/method-policy.ts";

/** The fields of Contract in contract_test.go. */
export interface Promised {
  readonly namespace: string;
  readonly trustDomain: string;
  readonly port: number;
  readonly issuer: string;
  readonly audience: string;
  readonly keysFrom: string;
  readonly workloads: readonly string[];
  readonly rpcs: readonly object[];
}

/** What Envoy can retry on, by number of the gRPC code. */
const CONDITIONS = new Map([
  [1, "cancelled"],
  [4, "deadline-exceeded"],
  [8, "resource-exhausted"],
  [13, "internal"],
  [14, "unavailable"],
]);

/**
 * @param files that were generated from
 * @param options of the generator, "name=value" each
 */
export function promised(
  set: FileDescriptorSet,
  files: readonly string[],
  options: readonly string[],
): Promised {
  const option = (name: string) =>
    options.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  const namespace = option("namespace")!;
  const keys = new URL(option("jwks_url") ?? "http://none").hostname;
  const services = [...createFileRegistry(set)].filter(
    (type): type is DescService =>
      type.kind === "service" && files.includes(`${type.file.name}.proto`) && hasOption(type, serviceOption),
  );
  const names = new Set(services.map(meshNameOf).filter((name) => name !== "*"));
  const rpcs = services.flatMap((service) => {
    const servers = meshNameOf(service) === "*" ? [...names] : [meshNameOf(service)];
    return servers.flatMap((name) => service.methods.map((method) => rpc(name, method, options)));
  });
  const hasEdge = rpcs.some(({ callers }) => callers.includes("edge"));
  return {
    namespace,
    trustDomain: option("trust_domain") ?? "cluster.local",
    port: Number(option("port") ?? 8080),
    issuer: option("token_issuer") ?? "",
    audience: option("token_audience") ?? "",
    keysFrom: keys.endsWith(`.${namespace}.svc.cluster.local`) ? keys.split(".")[0]! : "",
    workloads: [...names, ...(hasEdge ? ["edge"] : [])],
    rpcs,
  };
}

function rpc(service: string, method: DescMethod, options: readonly string[]) {
  const policy = policyOf(method);
  const callers = [...policy.callers];
  const { retry, breaker, access } = policy;
  const retryOn = [...(retry?.codes ?? [])].flatMap((code) => CONDITIONS.get(code) ?? []);
  const users = options.some((each) => each.startsWith("token_issuer="));
  const user = users && ["signedIn", "roles", "owner"].includes(access?.case ?? "");
  return {
    service,
    path: `/${method.parent.typeName}/${method.name}`,
    timeoutMs: policy.timeoutMs,
    retries: retry && retryOn.length > 0 ? retry.attempts - 1 : 0,
    retryOn,
    perTryMs: retry?.perTryMs ?? 0,
    inFlight: callers.includes("edge") ? policy.edgeConcurrency : policy.concurrency.limit,
    // As many as open the breaker at its smallest volume.
    failuresInARow: Math.ceil(breaker.ratio * Math.ceil((breaker.minimumRps * breaker.windowMs) / 1_000)),
    windowMs: breaker.windowMs,
    openMs: breaker.openMs,
    callers,
    user,
    roles: user && access?.case === "roles" ? access.value.anyOf : [],
  };
}
