/** The policy as the kit's own processes enforce it: a service of the runtime, its clients, and the edge. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, createFileRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { Migration } from "@mikro-orm/migrations";
import { type RunningEdge, startEdge } from "#edge/start-edge.ts";
import { readConfig } from "#mesh/runtime/config.ts";
import { createEventTables, eventEntities } from "#mesh/runtime/events/index.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { serve } from "../../system/serve.ts";
import { call } from "../envoy/grpc-peers.ts";
import type { Answer, Enforcer, Token } from "./enforcer.ts";
import { compileLibrary, SERVICE } from "./library.ts";
import { audience, bearer, issuer, serveKeys, tokens } from "./tokens.ts";

class Initial extends Migration {
  up(): void {
    for (const sql of createEventTables) this.addSql(sql);
  }
}

/** A service that counts its calls and answers them as it is told. */
class Replica {
  readonly calls = new Map<string, number>();
  answer: () => Answer = () => 0;

  /** @throws ConnectError with the code it is told; never settles when told to be silent */
  async serve(method: string): Promise<void> {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
    const answer = this.answer();
    if (answer === "silent") await new Promise(() => {});
    if (answer !== 0) throw new ConnectError("as told", answer as Code);
  }
}

export async function processEnforcer(): Promise<Enforcer> {
  process.setMaxListeners(100); // each edge that was started flushes its access log when the process ends
  const set = compileLibrary();
  const contract = createFileRegistry(set).getService(SERVICE)!;
  const replicas = [new Replica(), new Replica()];
  const handlers = (replica: Replica) =>
    Object.fromEntries(
      contract.methods.map(({ name, localName, methodKind, output }) => [
        localName,
        methodKind === "unary"
          ? async () => {
              await replica.serve(name);
              return create(output);
            }
          : async function* () {
              await replica.serve(name);
              yield create(output);
            },
      ]),
    ) as unknown as Partial<ServiceImpl<typeof contract>>;
  const definitionOf = (replica: Replica): ServiceDefinition => ({
    contract,
    storage: { entities: eventEntities, migrations: [Initial] },
    emits: [],
    compose: () => ({ routes: (router) => router.service(contract, handlers(replica)) }),
  });
  const keys = await serveKeys();
  const env = {
    WEFT_DISCOVERY: "registry",
    WEFT_JWKS_URL: `http://127.0.0.1:${keys.port}/jwks`,
    WEFT_TOKEN_ISSUER: issuer,
    WEFT_TOKEN_AUDIENCE: audience,
  };
  const served = await serve(replicas.map(definitionOf), { callers: ["lending"], env, leastSeconds: 0 });

  const folder = mkdtempSync(join(tmpdir(), "weft-one-policy-"));
  const descriptors = join(folder, "descriptors.binpb");
  writeFileSync(descriptors, toBinary(FileDescriptorSetSchema, set));
  const environment = served.environment("edge");
  const settings = {
    ...environment,
    ...env,
    WEFT_DESCRIPTORS: descriptors,
    WEFT_UPSTREAMS: `${environment.WEFT_UPSTREAMS},lending=http://127.0.0.1:1`,
  };
  const startGateway = () => startEdge(readConfig(settings));
  let edge: RunningEdge = await startGateway();
  const shelves = (caller: string, token: Token | undefined) =>
    served.client(contract, { caller, token: token && tokens[token] }) as unknown as Record<
      string,
      (request: object) => Promise<unknown>
    >;
  const statusOf = (calling: Promise<unknown>) =>
    calling.then(
      () => 0,
      (error) => ConnectError.from(error).code as number,
    );
  const localName = (method: string) => method[0]!.toLowerCase() + method.slice(1);

  return {
    call(caller, method, { seconds, token } = {}) {
      const shown = { seconds, authorization: bearer(token) };
      if (caller === "edge") return call(`http://127.0.0.1:${edge.port}`, `/${SERVICE}/${method}`, shown);
      return statusOf(shelves(caller, token)[localName(method)]!({}));
    },
    knock(as, method, token) {
      if (as === undefined) return call(served.url("shelves"), `/${SERVICE}/${method}`);
      return statusOf(shelves(as, token)[localName(method)]!({}));
    },
    answer(answer) {
      let call = 0;
      replicas.forEach((replica, index) => {
        replica.calls.clear();
        replica.answer = () => answer(++call, index);
      });
    },
    heard: (method) => replicas.map(({ calls }) => calls.get(method) ?? 0),
    async renew() {
      await edge.stop();
      edge = await startGateway();
    },
    async stop() {
      await edge.stop();
      await served.stop();
      keys.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
