/** Every method × every caller × every kind of user, through the interceptors that run in every service. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  create,
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  fromBinary,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from "jose";
import { pino } from "pino";
import { beforeAll, expect, test } from "vitest";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { identifyCallers } from "#mesh/runtime/identity/identify-caller.ts";
import { type Peer, peerKey } from "#mesh/runtime/identity/peer.ts";
import { answeredOnceKey } from "#mesh/runtime/identity/principal.ts";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { serverInterceptors } from "#mesh/runtime/rpc/server-interceptors.ts";
import { expected, optionsOf, owner, type User, users, withBadProof, withoutProof } from "./who-may-call.ts";

const root = resolve(import.meta.dirname, "../..");
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen/descriptors.binpb"))),
);
const services = [...registry]
  .filter((type) => type.kind === "service")
  .filter((service) => hasOption(service, serviceOption));
const methods = services.flatMap((service) => service.methods);
const callers = [
  ...services.map((service) => getOption(service, serviceOption).name).filter((name) => name !== "*"),
  "edge",
  "operator",
  "stranger",
  withoutProof,
  withBadProof,
];

/** Says who is at the other end, as the connection would. */
function cameFrom(caller: string): Interceptor {
  const peer: Peer =
    caller === withoutProof
      ? { kind: "silent" }
      : caller === withBadProof
        ? { kind: "refused", reason: "CERT_HAS_EXPIRED" }
        : { kind: "proved", name: caller, validUntil: Number.POSITIVE_INFINITY };
  return (next) => (request) => {
    request.contextValues.set(peerKey, peer);
    return next(request);
  };
}

const issuer = "https://issuer.test";
const tokens = new Map<User, string>();
let interceptors: Interceptor[];
let reached = 0;
const logged: string[] = [];
beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519" });
  const stranger = await generateKeyPair("EdDSA", { crv: "Ed25519" });
  const now = Math.floor(Date.now() / 1_000);
  for (const user of users) {
    if (!user) continue;
    const age = user.refused === "TOKEN_EXPIRED" ? 400 : 0;
    const token = new SignJWT({ roles: [...user.roles] })
      .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "key-1" })
      .setIssuer(issuer)
      .setAudience("shop")
      .setSubject(user.name)
      .setJti("1")
      .setIssuedAt(now - age)
      .setExpirationTime(now - age + 300);
    const key = user.refused === "TOKEN_INVALID" ? stranger.privateKey : privateKey;
    tokens.set(user, await token.sign(key));
  }
  const jwk = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "EdDSA", use: "sig" };
  interceptors = serverInterceptors({
    log: pino({ level: "warn" }, { write: (line) => void logged.push(line) }),
    writeLine: () => {},
    identifyCaller: identifyCallers({
      name: "library",
      mesh: "none",
      trustDomain: "weft.local",
      namespace: "default",
      credentials: undefined,
    }),
    verifyUser: createUserVerifier({
      jwksUrl: "http://unused.test",
      issuer,
      audience: "shop",
      keys: createLocalJWKSet({ keys: [jwk] }),
      revocations: { isRevoked: (user) => user === "a revoked token" },
    }),
    directCalls: false,
    // Without the last of the list: requests here have no valid fields, and who may call is decided before that.
  }).slice(0, -1);
});

/** A message in which the field that names the owner, if it is in this one, names him. */
function ownedMessage(schema: DescMessage, location: string | undefined): Message {
  const field = schema.fields.find(({ name }) => name === location);
  return create(schema, field ? { [field.localName]: owner.name } : {}) as Message;
}

function ownerField(method: DescMethod, side: "requestField" | "responseField"): string | undefined {
  const { access } = optionsOf(method);
  if (access?.rule.case !== "owner") return undefined;
  const { location } = access.rule.value;
  return location.case === side ? location.value : undefined;
}

/** Calls of one caller to every method, whose handler only notes that it was reached. */
function clientOf(caller: string) {
  const transport = createRouterTransport(
    (router) => {
      for (const service of services) {
        const handlers = service.methods.map((method) => {
          const reply = (_request: unknown, { values }: HandlerContext) => {
            values.set(answeredOnceKey, true); // as methods with an Idempotency-Key must
            reached++;
            return ownedMessage(method.output, ownerField(method, "responseField"));
          };
          const stream = async function* (request: unknown, context: HandlerContext) {
            yield reply(request, context);
          };
          const handler = method.methodKind === "unary" ? reply : stream;
          return [method.localName, handler];
        });
        router.service(service, Object.fromEntries(handlers));
      }
    },
    { router: { interceptors: [cameFrom(caller), ...interceptors] } },
  );
  return async (method: DescMethod, user: User | undefined): Promise<string> => {
    const client = createClient(method.parent, transport) as unknown as Record<
      string,
      (...args: unknown[]) => unknown
    >;
    const headers: Record<string, string> = { "idempotency-key": "1" };
    if (user) headers.authorization = `Bearer ${tokens.get(user)}`;
    const request = ownedMessage(method.input, ownerField(method, "requestField"));
    try {
      const reply = client[method.localName]!(request, { headers });
      if (method.methodKind === "unary") await reply;
      else for await (const _ of reply as AsyncIterable<unknown>);
      return "OK";
    } catch (error) {
      return `${Code[ConnectError.from(error).code]} ${reasonOf(error)}`;
    }
  };
}

test.each(callers)(
  "%s: each method answers each user as the contract says, and nobody else gets to its handler",
  async (caller) => {
    const call = clientOf(caller);
    const wrong: string[] = [];
    for (const method of methods)
      for (const user of users) {
        const want = expected(method, caller, user);
        reached = 0;
        logged.length = 0;
        const got = await call(method, user);
        // A reply that is not the user's is found out when it is there.
        const looked = ownerField(method, "responseField") !== undefined && want.startsWith("NotFound");
        if (got !== want || (reached > 0 && want !== "OK" && !looked))
          wrong.push(
            `${method.name} for ${user?.name ?? "nobody"}: ${got} in place of ${want}, reached ${reached}`,
          );
        const [code, reason] = want.split(" ") as [string, string];
        const lines = logged.filter((line) => line.includes(`/${method.name}"`) && line.includes(reason));
        if (/^(Unauth|Perm)/.test(code) && lines.length !== 1)
          wrong.push(`${method.name}: ${want} is not in the log`);
        if (user && logged.join().includes(tokens.get(user)!))
          wrong.push(`${method.name}: the token is in the log`);
      }
    expect(wrong).toEqual([]);
  },
);

test("who may call what is written down, so that a change of it is seen", async () => {
  const line = (method: DescMethod) => {
    const admitted = (user: User | undefined) =>
      callers.filter((caller) => expected(method, caller, user) === "OK");
    const good = users.filter((user) => callers.some((caller) => expected(method, caller, user) === "OK"));
    const named = good.map((user) => user?.name ?? "nobody");
    const who = named.length === users.length ? "whoever" : named.join(", ");
    return `${method.parent.name}.${method.name}: ${admitted(good[0]).join(", ")}; for ${who}`;
  };
  await expect(`${methods.map(line).join("\n")}\n`).toMatchFileSnapshot("testdata/who-may-call.txt");
});
