/** A call as text to paste into a terminal or a program. */
import type { DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { CopyCallRequest_Form as Form } from "#gen/weft/dashboard/v1/explorer_pb.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import type { SystemDescription } from "../config.ts";
import type { WantedCall } from "../sources/caller.ts";
import type { ContractModel } from "../sources/contract-model.ts";

type Place = { system: SystemDescription; contract: ContractModel };

/** The headers and the requests of a call, and where it goes. */
interface Parts {
  readonly method: DescMethod;
  readonly path: string;
  readonly origin: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly messages: readonly JsonValue[];
  /** Whether a token is needed; it stands as $TOKEN. */
  readonly signedIn: boolean;
}

export function copyCall(wanted: WantedCall, form: Form, place: Place): string {
  const parts = partsOf(wanted, place);
  const intro = parts.signedIn && form !== Form.TYPESCRIPT ? `${howToSignIn(wanted.user, place)}\n` : "";
  switch (form) {
    case Form.CURL:
      return intro + curl(parts, wanted.edge, place);
    case Form.GRPCURL:
      return intro + grpcurl(parts);
    case Form.BUF_CURL:
      return intro + bufCurl(parts);
    default:
      return typescript(parts);
  }
}

function partsOf(wanted: WantedCall, { system }: Place): Parts {
  const { method, messages, edge, user, headers = {} } = wanted;
  const { idempotencyKeyRequired } = policyOf(method);
  const service = wanted.service || policyOf(method).service;
  const direct = system.services.find(({ name }) => name === service)?.url ?? system.edge.url;
  const named = new Map(Object.entries(headers));
  if (user !== "") named.set("authorization", "Bearer $TOKEN");
  if (idempotencyKeyRequired && !named.has("idempotency-key")) named.set("idempotency-key", "$(uuidgen)");
  return {
    method,
    path: `${method.parent.typeName}/${method.name}`,
    origin: edge ? system.edge.url : direct,
    headers: [...named],
    messages: messages.map(parsed),
    signedIn: user !== "",
  };
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return {}; // half typed: the rest of the call is worth having
  }
}

/** A comment that says where $TOKEN comes from; never the token, never a password. */
function howToSignIn(user: string, { system }: Place): string {
  return `# TOKEN: the ${system.signIn?.tokenField ?? "token"} of ${system.signIn?.method ?? "a sign-in"} as ${user}`;
}

function curl(
  { method, path, origin, headers, messages }: Parts,
  edge: boolean,
  { contract }: Place,
): string {
  const rest = edge ? restOf(method, contract) : undefined;
  if (rest && messages.length === 1) {
    const filled = fillPath(rest, method, (messages[0] ?? {}) as JsonObject);
    if (filled) {
      const body = filled.body === undefined ? [] : [quoted(JSON.stringify(filled.body))];
      return lines("curl", [
        ...(filled.verb === "GET" ? [] : [`-X ${filled.verb}`]),
        quoted(origin + filled.path),
        ...headerFlags("-H", headers),
        ...(body.length > 0 ? ["-H 'content-type: application/json'", `-d ${body[0]}`] : []),
      ]);
    }
  }
  if (method.methodKind !== "unary")
    return `# curl cannot make Connect's streams; buf curl can:\n${bufCurl({ method, path, origin, headers, messages, signedIn: false })}`;
  return lines("curl", [
    quoted(`${origin}/${path}`),
    ...headerFlags("-H", headers),
    "-H 'content-type: application/json'",
    `-d ${quoted(JSON.stringify(messages[0] ?? {}))}`,
  ]);
}

function grpcurl({ path, origin, headers, messages }: Parts): string {
  return lines("grpcurl -plaintext", [
    ...headerFlags("-H", headers),
    `-d ${quoted(messages.map((message) => JSON.stringify(message)).join("\n"))}`,
    new URL(origin).host,
    path,
  ]);
}

function bufCurl({ path, origin, headers, messages }: Parts): string {
  return lines("npx buf curl --protocol grpc --http2-prior-knowledge", [
    ...headerFlags("-H", headers),
    `-d ${quoted(messages.map((message) => JSON.stringify(message)).join("\n"))}`,
    quoted(`${origin}/${path}`),
  ]);
}

function typescript({ method, origin, headers, messages, signedIn }: Parts): string {
  const { name, file } = method.parent;
  const module = `#gen/${file.name}_pb.ts`;
  const shown = headers.map(([key, value]) =>
    value === "Bearer $TOKEN"
      ? // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of the program that is written
        [key, "`Bearer ${token}`"]
      : [key, value === "$(uuidgen)" ? "crypto.randomUUID()" : JSON.stringify(value)],
  );
  const options =
    shown.length > 0
      ? `, { headers: { ${shown.map(([key, value]) => `"${key}": ${value}`).join(", ")} } }`
      : "";
  const request =
    method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming"
      ? `(async function* () {\n${messages.map((each) => `  yield ${literal(each)};`).join("\n")}\n})()`
      : literal(messages[0] ?? {});
  const call = `client.${method.localName}(${request}${options})`;
  const use =
    method.methodKind === "unary" || method.methodKind === "client_streaming"
      ? `console.log(await ${call});`
      : `for await (const reply of ${call}) console.log(reply);`;
  return `import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ${name} } from "${module}";

${signedIn ? "declare const token: string; // of a signed-in user\n" : ""}const client = createClient(${name}, createGrpcTransport({ baseUrl: "${origin}" }));
${use}
`;
}

/** JSON that is also a literal of the language; names that need no quotes have none. */
function literal(value: JsonValue): string {
  return JSON.stringify(value, null, 2).replace(/^(\s*)"([A-Za-z_]\w*)":/gm, "$1$2:");
}

function restOf(method: DescMethod, { contract }: ContractModel): string | undefined {
  const path = `/${method.parent.typeName}/${method.name}`;
  return contract.services.flatMap(({ methods }) => methods).find((each) => each.path === path)?.rest[0];
}

/** Path variables filled from the request; what is left is query or body. Undefined when a variable has no value. */
function fillPath(
  rest: string,
  { input }: DescMethod,
  message: JsonObject,
): { verb: string; path: string; body: JsonObject | undefined } | undefined {
  const [verb = "GET", template = ""] = rest.split(" ");
  const left: JsonObject = { ...message };
  let missing = false;
  const path = template.replace(/\{([\w.]+)(?:=[^}]*)?\}/g, (_, name: string) => {
    const jsonName = input.fields.find((field) => field.name === name)?.jsonName ?? name;
    const value = left[jsonName] ?? left[name];
    if (typeof value !== "string" && typeof value !== "number") missing = true;
    delete left[jsonName];
    delete left[name];
    return encodeURIComponent(String(value));
  });
  if (missing) return undefined;
  if (verb !== "GET" && verb !== "DELETE") return { verb, path, body: left };
  const query = Object.entries(left)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return { verb, path: query.length > 0 ? `${path}?${query.join("&")}` : path, body: undefined };
}

function headerFlags(flag: string, headers: Parts["headers"]): string[] {
  return headers.map(([name, value]) =>
    // The shell fills these two in; everything else it leaves alone.
    value === "Bearer $TOKEN" || value === "$(uuidgen)"
      ? `${flag} "${name}: ${value}"`
      : `${flag} ${quoted(`${name}: ${value}`)}`,
  );
}

/** A word for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function lines(command: string, words: readonly string[]): string {
  return [command, ...words].join(" \\\n  ");
}
