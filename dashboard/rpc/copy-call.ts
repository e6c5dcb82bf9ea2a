/** A call as text to paste into a terminal or a program. */
import type { DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { CopyCallRequest_Form as Form } from "#gen/weft/dashboard/v1/explorer_pb.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import type { DashboardConfig } from "../config.ts";
import { operatorAt, type WantedCall } from "../sources/caller.ts";
import type { ContractModel } from "../sources/contract-model.ts";
import { restCallOf } from "./rest-call.ts";
import { quoted, signInLines } from "./sign-in-lines.ts";

export interface CopyPlace {
  readonly system: Pick<DashboardConfig["system"], "edge" | "services" | "signIn">;
  readonly contract: ContractModel;
  /** Files of the certificate that the operator proves itself by. */
  readonly identity: Pick<DashboardConfig, "identityCertFile" | "identityKeyFile">;
}

/** The headers and the requests of a call, and where it goes. */
interface Parts {
  readonly method: DescMethod;
  readonly path: string;
  readonly origin: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly messages: readonly JsonValue[];
  /** Whether a token is needed; it stands as $TOKEN. */
  readonly signedIn: boolean;
  /** Files of a certificate where the callee takes no one without. */
  readonly identity: CopyPlace["identity"] | undefined;
}

/** A key that is another one each time, in any shell. */
const freshKey = "$(date +%s%N)";

/** @returns commands that work where they are pasted; what is secret stands as a variable */
export function copyCall(wanted: WantedCall, form: Form, place: CopyPlace): string {
  const parts = partsOf(wanted, place);
  const intro = parts.signedIn && form !== Form.TYPESCRIPT ? signInLines(wanted.user, place) : "";
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

function partsOf(wanted: WantedCall, { system, identity }: CopyPlace): Parts {
  const { method, messages, edge, user, headers = {} } = wanted;
  const { idempotencyKeyRequired } = policyOf(method);
  const service = wanted.service || policyOf(method).service;
  const direct = system.services.find(({ name }) => name === service)?.url ?? system.edge.url;
  const named = new Map(Object.entries(headers));
  if (user !== "") named.set("authorization", "Bearer $TOKEN");
  if (idempotencyKeyRequired && !named.has("idempotency-key")) named.set("idempotency-key", freshKey);
  const asOperator = operatorAt(wanted) !== undefined;
  return {
    method,
    path: `${method.parent.typeName}/${method.name}`,
    origin: edge ? system.edge.url : asOperator ? direct.replace(/^http:/, "https:") : direct,
    identity: asOperator ? identity : undefined,
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

function curl(parts: Parts, edge: boolean, { contract }: CopyPlace): string {
  const { method, path, origin, headers, messages, identity } = parts;
  const rest =
    edge && messages.length === 1
      ? restCallOf(method, (messages[0] ?? {}) as JsonObject, contract.registry)
      : undefined;
  if (rest) {
    const body = rest.body === undefined ? [] : [quoted(JSON.stringify(rest.body))];
    return lines("curl -sS", [
      // Messages of a stream are shown as they come.
      ...(method.methodKind === "unary" ? [] : ["-N"]),
      ...(rest.verb === "GET" ? [] : [`-X ${rest.verb}`]),
      quoted(origin + rest.path),
      ...headerFlags("-H", headers),
      ...(body.length > 0 ? ["-H 'content-type: application/json'", `-d ${body[0]}`] : []),
    ]);
  }
  if (method.methodKind !== "unary")
    return `# curl cannot make Connect's streams; buf curl can:\n${bufCurl(parts)}`;
  return lines("curl -sS", [
    ...identityFlags("--", identity),
    quoted(`${origin}/${path}`),
    ...headerFlags("-H", headers),
    "-H 'content-type: application/json'",
    `-d ${quoted(JSON.stringify(messages[0] ?? {}))}`,
  ]);
}

function grpcurl({ path, origin, headers, messages, identity }: Parts): string {
  return lines(identity ? "grpcurl" : "grpcurl -plaintext", [
    ...identityFlags("-", identity),
    ...headerFlags("-H", headers),
    `-d ${quoted(messages.map((message) => JSON.stringify(message)).join("\n"))}`,
    new URL(origin).host,
    path,
  ]);
}

function bufCurl({ path, origin, headers, messages, identity }: Parts): string {
  return lines(`npx buf curl --protocol grpc${identity ? "" : " --http2-prior-knowledge"}`, [
    ...identityFlags("--", identity),
    ...headerFlags("-H", headers),
    `-d ${quoted(messages.map((message) => JSON.stringify(message)).join("\n"))}`,
    quoted(`${origin}/${path}`),
  ]);
}

function typescript({ method, origin, headers, messages, signedIn, identity }: Parts): string {
  const { name, file } = method.parent;
  const module = `#gen/${file.name}_pb.ts`;
  const shown = headers.map(([key, value]) =>
    value === "Bearer $TOKEN"
      ? // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of the program that is written
        [key, "`Bearer ${token}`"]
      : [key, value === freshKey ? "crypto.randomUUID()" : JSON.stringify(value)],
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
  const files =
    identity &&
    `readFileSync("${identity.identityCertFile}"), key: readFileSync("${identity.identityKeyFile}")`;
  // Certificates name services, not addresses.
  const secure = files ? `, nodeOptions: { cert: ${files}, rejectUnauthorized: false }` : "";
  return `${identity ? 'import { readFileSync } from "node:fs";\n' : ""}import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ${name} } from "${module}";

${signedIn ? "const token = process.env.TOKEN; // of a signed-in user\n" : ""}const client = createClient(${name}, createGrpcTransport({ baseUrl: "${origin}"${secure} }));
${use}
`;
}

/** JSON that is also a literal of the language; names that need no quotes have none. */
function literal(value: JsonValue): string {
  return JSON.stringify(value, null, 2).replace(/^(\s*)"([A-Za-z_]\w*)":/gm, "$1$2:");
}

function headerFlags(flag: string, headers: Parts["headers"]): string[] {
  return headers.map(([name, value]) =>
    // The shell fills these two in; everything else it leaves alone.
    value === "Bearer $TOKEN" || value === freshKey
      ? `${flag} "${name}: ${value}"`
      : `${flag} ${quoted(`${name}: ${value}`)}`,
  );
}

/** Certificates name services, not addresses: who answers is not checked here. */
function identityFlags(dashes: "-" | "--", identity: Parts["identity"]): string[] {
  if (!identity) return [];
  const { identityCertFile, identityKeyFile } = identity;
  return [
    `${dashes}insecure`,
    `${dashes}cert ${quoted(identityCertFile)}`,
    `${dashes}key ${quoted(identityKeyFile)}`,
  ];
}

function lines(command: string, words: readonly string[]): string {
  return [command, ...words].join(" \\\n  ");
}
