/** What plugin parameters say about the mesh that the contract does not. */
export interface MeshOptions {
  /** What to write, and in which folder below the plugin's `out`; "" for none. */
  readonly targets: ReadonlyMap<string, string>;
  /** Kubernetes namespace of all services. */
  readonly namespace: string;
  /** Trust domain of workload identities in the mesh. */
  readonly trustDomain: string;
  /** Registry and path that images lie under: IMAGES/NAME. */
  readonly images: string;
  /** TCP port that every process serves on. */
  readonly port: number;
  /** Claims and keys of users' tokens; all three or none. Without them only processes check users. */
  readonly tokens:
    | { readonly issuer: string; readonly audience: string; readonly jwksUrl: string }
    | undefined;
  /** Services without a database of their own. */
  readonly stateless: ReadonlySet<string>;
}

const defaults = {
  namespace: "default",
  trust_domain: "cluster.local",
  images: "localhost",
  port: "8080",
  token_issuer: "",
  token_audience: "",
  jwks_url: "",
};
type Single = keyof typeof defaults;

/**
 * Parses `target=NAME[:FOLDER],namespace=...,trust_domain=...,images=...,port=...,token_issuer=...,
 * token_audience=...,jwks_url=...,stateless=NAME`; `target` and `stateless` may repeat.
 * @param known names of targets
 * @throws Error naming the parameter that is unknown, empty, malformed or given twice
 */
export function parseOptions(parameter: string, known: readonly string[]): MeshOptions {
  const single: Record<Single, string> = { ...defaults };
  const seen = new Set<string>();
  const targets = new Map<string, string>();
  const stateless = new Set<string>();
  for (const [name, value] of pairs(parameter)) {
    if (name === "target") addTarget(targets, value, known);
    else if (name === "stateless") stateless.add(value);
    else if (!(name in single))
      throw new Error(
        `parameter "${name}" is unknown; there are target, stateless, ${Object.keys(single).join(", ")}`,
      );
    else if (seen.has(name)) throw new Error(`parameter "${name}" is given twice`);
    else single[name as Single] = value;
    seen.add(name);
  }
  if (targets.size === 0) throw new Error(`parameter "target" is missing; there are ${known.join(", ")}`);
  const port = Number(single.port);
  if (!Number.isInteger(port) || port < 1024 || port > 65_534)
    throw new Error(`parameter "port" is "${single.port}"; it must be 1024 to 65534`);
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(single.namespace))
    throw new Error(`parameter "namespace" is "${single.namespace}", which is no name of a namespace`);
  return {
    targets,
    namespace: single.namespace,
    trustDomain: single.trust_domain,
    images: single.images,
    port,
    tokens: tokensOf(single),
    stateless,
  };
}

function pairs(parameter: string): [name: string, value: string][] {
  return parameter
    .split(",")
    .filter(Boolean)
    .map((part) => {
      const [name = "", value = ""] = part.split(/=(.*)/s).map((text) => text.trim());
      if (!value) throw new Error(`parameter "${name}" has no value`);
      return [name, value];
    });
}

function addTarget(targets: Map<string, string>, value: string, known: readonly string[]): void {
  const [name = "", folder = ""] = value.split(":");
  if (!known.includes(name))
    throw new Error(`parameter "target" is "${name}"; there are ${known.join(", ")}`);
  if (targets.has(name)) throw new Error(`parameter "target" names "${name}" twice`);
  if (folder && !/^\w[\w.-]*(\/\w[\w.-]*)*$/.test(folder))
    throw new Error(`parameter "target" has the folder "${folder}"; it must be a path below the output`);
  targets.set(name, folder);
}

function tokensOf({ token_issuer, token_audience, jwks_url }: Record<Single, string>): MeshOptions["tokens"] {
  const given = [token_issuer, token_audience, jwks_url].filter(Boolean).length;
  if (given === 0) return undefined;
  if (given < 3) throw new Error("parameters token_issuer, token_audience and jwks_url belong together");
  if (!URL.canParse(jwks_url)) throw new Error(`parameter "jwks_url" is "${jwks_url}", which is no URL`);
  return { issuer: token_issuer, audience: token_audience, jwksUrl: jwks_url };
}
