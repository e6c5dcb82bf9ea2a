/**
 * Starts services of the contract in the test's own process: real database, real bus, real port. One that is in another
 * language, or that WEFT_IMPL names, runs as a process.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescService, getOption, setExtension } from "@bufbuild/protobuf";
import { DurationSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { MeshService } from "#gen/weft/mesh/v1/mesh_pb.ts";
import { method as methodOption, service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { openIdentities } from "#local/identities.ts";
import { system } from "#local/system.ts";
import { processNames } from "#local/topology.ts";
import { readConfig } from "#mesh/runtime/config.ts";
import { fixedUpstreams } from "#mesh/runtime/discovery/upstreams.ts";
import { loadWorkload, type Workload } from "#mesh/runtime/identity/workload.ts";
import { milliseconds } from "#mesh/runtime/policy/duration.ts";
import { meshNameOf } from "#mesh/runtime/policy/method-policy.ts";
import { createClients } from "#mesh/runtime/rpc/clients.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { type RunningService, startService } from "#mesh/runtime/start-service.ts";
import { contextFromHeaders, runInContext } from "#mesh/runtime/telemetry/context.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshBus, freshDatabase } from "./fresh.ts";
import { replacementOf, startImplementation } from "./implementation-process.ts";
import { waitLongerForLocks } from "./patient-locks.ts";

const issuer = "https://issuer.test";
const audience = "weft-test";
/** Workloads that tests may call as, besides those that they name. */
const usualCallers = [...processNames(system), "operator", "stranger"];

/** A user to call as. */
export interface TestUser {
  id: string;
  roles: string[];
}

/** A service to start; of one that is in another language only the contract is here. */
export type Servable = ServiceDefinition | Pick<ServiceDefinition, "contract">;

/** Services that run for a test. */
export interface Served {
  /**
   * Calls over real gRPC as `caller` ("edge" unless told), on behalf of `user`, who gets a valid token, or with a
   * `token` that the test has.
   * `at` names the service to call where the contract does not.
   */
  client<S extends DescService>(
    service: S,
    as?: { caller?: string; user?: TestUser; token?: string; at?: string },
  ): Client<S>;
  /** Access token of a user, as auth would issue it. `claims` replace the usual ones. */
  tokenFor(user: TestUser, claims?: Record<string, unknown>): Promise<string>;
  /** Base URL of a service by its name in the mesh. */
  url(name: string): string;
  /** Database URL of a service by its name in the mesh. */
  database(name: string): string;
  readonly natsUrl: string;
  /** Environment of one more process of the mesh, called `name`. */
  environment(name: string): NodeJS.ProcessEnv;
  /** Environment of the command-line tool that calls these services. */
  operatorEnvironment(): NodeJS.ProcessEnv;
  /** Starts one more process's worth of a service on the database it has: a replica. Clients made from now on call it. */
  start(definition: Servable): Promise<void>;
  /** Stops every replica of a service. `start` gives it its next life, on the same database. */
  end(name: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts `definitions` one after the other; each can call those before it, over gRPC. They share one bus.
 *
 * @param options.env settings of the services' own
 * @param options.seed development data, as in the seed file
 * @param options.callers workloads that the test calls as, where they are not the usual ones
 * @param options.leastSeconds that a call may take, where the contract gives it fewer; how fast the machine is, is not
 *   what most tests are about
 */
export async function serve(
  definitions: readonly Servable[],
  options: {
    env?: NodeJS.ProcessEnv;
    seed?: unknown;
    callers?: readonly string[];
    leastSeconds?: number;
  } = {},
): Promise<Served> {
  for (const { contract } of [...definitions, { contract: DeadLetterService }, { contract: MeshService }])
    giveTime(contract, options.leastSeconds ?? 10);
  const folder = await mkdtemp(join(tmpdir(), "weft-serve-"));
  const names = definitions.map(({ contract }) => meshNameOf(contract));
  const identities = await writeIdentities(folder, [
    ...new Set([...usualCallers, ...names, ...(options.callers ?? [])]),
  ]);
  const tokens = await startIssuer();
  const natsUrl = await freshBus();
  const seedFile = join(folder, "seed.json");
  if (options.seed) await writeFile(seedFile, JSON.stringify(options.seed));

  let running: RunningService[] = [];
  const databases = new Map<string, string>();
  const ports = new Map<string, number>();
  const environment = (name: string) => ({
    PORT: "0",
    NATS_URL: natsUrl,
    WEFT_UPSTREAMS: upstreamsOf(ports),
    ...identities.environment(name),
    WEFT_JWKS_URL: tokens.jwksUrl,
    WEFT_TOKEN_ISSUER: issuer,
    WEFT_TOKEN_AUDIENCE: audience,
    WEFT_SEED_FILE: options.seed ? seedFile : undefined,
    WEFT_SHED_LATE_MS: "0", // a busy machine is not what these tests are about
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? "silent",
  });
  const start = async (definition: Servable) => {
    const name = meshNameOf(definition.contract);
    const database = databases.get(name) ?? (await freshDatabase(name));
    if (!databases.has(name)) await waitLongerForLocks(database);
    databases.set(name, database);
    const instance = { WEFT_INSTANCE: `${name}-${running.length}` }; // all of them are one process here
    const env = { ...environment(name), ...instance, DATABASE_URL: database, ...options.env };
    const replacement = replacementOf(name);
    running.push(
      replacement
        ? await startImplementation(name, replacement, env)
        : await startService(inTypeScript(definition), readConfig(env)),
    );
    ports.set(name, running.at(-1)!.port);
  };
  for (const definition of definitions) await start(definition);

  return {
    natsUrl,
    tokenFor: tokens.tokenFor,
    environment,
    operatorEnvironment: () => ({
      WEFT_UPSTREAMS: upstreamsOf(ports),
      ...identities.environment("operator"),
    }),
    url: (name) => `http://127.0.0.1:${ports.get(name)}`,
    database: (name) => databases.get(name) as string,
    client: (service, as = {}) => clientFor(service, as, identities, ports, tokens.tokenFor),
    start,
    async end(name) {
      const ending = running.filter((service) => service.name === name);
      running = running.filter((service) => service.name !== name);
      await Promise.all(ending.map((service) => service.stop()));
    },
    async stop() {
      for (const service of running.reverse()) await service.stop();
      await tokens.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Raises the timeouts of a contract, for this process. Nobody may have asked for its policies before. */
function giveTime(contract: DescService, leastSeconds: number): void {
  const { defaults } = getOption(contract, serviceOption);
  for (const method of contract.methods) {
    const policy = getOption(method, methodOption);
    const given = milliseconds(policy.timeout ?? defaults?.timeout) ?? 0;
    if (given >= leastSeconds * 1_000) continue;
    const timeout = create(DurationSchema, { seconds: BigInt(leastSeconds) });
    method.proto.options ??= create(MethodOptionsSchema);
    setExtension(method.proto.options, methodOption, { ...policy, timeout });
  }
}

function inTypeScript(definition: Servable): ServiceDefinition {
  if ("compose" in definition) return definition;
  throw new Error(
    `${definition.contract.typeName} has a contract, and no program: see deploy/local/system.ts`,
  );
}

function upstreamsOf(ports: ReadonlyMap<string, number>): string {
  return [...ports].map(([name, port]) => `${name}=http://127.0.0.1:${port}`).join(",");
}

function clientFor<S extends DescService>(
  service: S,
  { caller = "edge", user, token, at }: { caller?: string; user?: TestUser; token?: string; at?: string },
  identities: Identities,
  ports: ReadonlyMap<string, number>,
  tokenFor: Served["tokenFor"],
): Client<S> {
  const seeds = new Map([...ports].map(([name, port]) => [name, `http://127.0.0.1:${port}`]));
  let made: Client<S> | undefined;
  const make = () => {
    const workload = identities.workload(caller);
    return createClients({ workload, upstreams: fixedUpstreams(seeds, workload, silent) })(service, at);
  };
  return new Proxy({} as Client<S>, {
    get: (_, method: string) => {
      const call = async (...args: unknown[]) => {
        made ??= make();
        const client = made as unknown as Record<string, (...args: unknown[]) => unknown>;
        const shown = user ? await tokenFor(user) : token;
        const authorization = shown && `Bearer ${shown}`;
        return runInContext(contextFromHeaders({}, { authorization }), () => client[method]?.(...args));
      };
      const streaming = service.method[method]?.methodKind !== "unary";
      if (!streaming) return call;
      return async function* (...args: unknown[]) {
        yield* (await call(...args)) as AsyncIterable<unknown>;
      };
    },
  });
}

type Identities = Awaited<ReturnType<typeof writeIdentities>>;

const silent = createLogger("test", "silent");

async function writeIdentities(folder: string, names: readonly string[]) {
  const authority = await openIdentities(join(folder, "identity"), "weft.local");
  for (const name of names) await authority.issue(name);
  const environment = (name: string) => {
    const { certificate, key } = authority.filesOf(name);
    return {
      WEFT_IDENTITY_CERT: certificate,
      WEFT_IDENTITY_KEY: key,
      WEFT_TRUST_BUNDLE: authority.bundle,
    };
  };
  const workload = (name: string): Workload => {
    const { certificate, key } = authority.filesOf(name);
    const settings = {
      mesh: "none" as const,
      identityCertFile: certificate,
      identityKeyFile: key,
      trustBundleFile: authority.bundle,
      trustDomain: "weft.local",
      namespace: "default",
    };
    return loadWorkload(name, settings, silent);
  };
  return { environment, workload };
}

async function startIssuer() {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const body = JSON.stringify({ keys: [{ ...jwk, kid, alg: "EdDSA", use: "sig" }] });
  const server = createServer((_, response) =>
    response.setHeader("content-type", "application/json").end(body),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    tokenFor: (user: TestUser, claims: Record<string, unknown> = {}) =>
      new SignJWT({ roles: user.roles, client_id: "test", ...claims })
        .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(user.id)
        .setJti(crypto.randomUUID())
        .setIssuedAt(claims.iat as number | undefined)
        .setExpirationTime("5m")
        .sign(privateKey),
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
