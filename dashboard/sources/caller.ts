/**
 * Calls any method of the contract, with JSON in and out, by its descriptor: at the edge like everybody outside, or
 * at the service itself like its edge, or as the operator where the contract admits that.
 */
import { randomBytes, randomUUID } from "node:crypto";
import {
  create,
  createRegistry,
  type DescMethod,
  fromJsonString,
  type JsonObject,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { AnySchema, anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { file_google_rpc_error_details } from "#gen/google/rpc/error_details_pb.ts";
import type { Workload } from "#mesh/runtime/identity/workload.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { redactedJson } from "#mesh/runtime/policy/redact.ts";
import { grpcTransport } from "#mesh/runtime/rpc/grpc/transport.ts";
import { Http2Sessions } from "#mesh/runtime/rpc/http2-sessions.ts";
import { sessionsTo } from "#mesh/runtime/rpc/mutual-tls.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import type { SystemDescription } from "../config.ts";

/** What of a system has to be known to call it. */
export type CalledSystem = Pick<SystemDescription, "edge" | "services" | "signIn">;

import type { ContractModel } from "./contract-model.ts";

/** A call to make. */
export interface WantedCall {
  readonly method: DescMethod;
  /** Requests as proto JSON. */
  readonly messages: readonly string[];
  /** Milliseconds before each further request of a stream. */
  readonly intervalMs?: number;
  /** Service to ask where the contract does not say which; empty: it does. */
  readonly service?: string;
  /** Whether to go through the edge. */
  readonly edge: boolean;
  /** Account to sign in as; empty: nobody. */
  readonly user: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** What happens in a call, in order; the end is last. */
export type CallEvent =
  | { kind: "begun"; traceId: string; requestId: string; target: string }
  | { kind: "message"; number: number; json: JsonObject; atMs: number }
  | { kind: "end"; end: CallEnding };

export interface CallEnding {
  /** "OK", "NOT_FOUND" */
  readonly code: string;
  readonly message: string;
  readonly details: readonly JsonObject[];
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
  readonly durationMs: number;
}

/** Largest reply, in bytes. */
const readMaxBytes = 4 * 1024 * 1024;
/** How long a token is used before another is asked for, in milliseconds; it lives longer. */
const tokenMs = 60_000;
/** What no call may set: it says who calls. */
const reserved = new Set(["authorization"]);

export class Caller {
  readonly #system: CalledSystem;
  readonly #contract: ContractModel;
  readonly #workload: Workload;
  readonly #log: Logger;
  readonly #transports = new Map<string, { sessions: Http2Sessions; transport: Transport }>();
  readonly #tokens = new Map<string, { token: Promise<string>; until: number }>();

  constructor(system: CalledSystem, contract: ContractModel, workload: Workload, log: Logger) {
    this.#log = log;
    this.#system = system;
    this.#contract = contract;
    this.#workload = workload;
  }

  /**
   * Makes a call and yields what happens. Failures of the call are its end; only what keeps it from being made is
   * thrown.
   * @throws ConnectError INVALID_ARGUMENT for a message that is none of the method's, or an unknown user
   */
  async *call(wanted: WantedCall, signal: AbortSignal): AsyncGenerator<CallEvent> {
    const { method, intervalMs = 0 } = wanted;
    const { registry } = this.#contract;
    const messages = wanted.messages.map((json, index) => {
      try {
        return fromJsonString(method.input, json.trim() === "" ? "{}" : json, { registry });
      } catch (error) {
        throw new ConnectError(`messages[${index}]: ${(error as Error).message}`, Code.InvalidArgument);
      }
    });
    const traceId = randomBytes(16).toString("hex");
    const requestId = wanted.headers?.["x-request-id"] ?? randomUUID();
    const headers = await this.#headers(wanted, { traceId, requestId });
    const target = this.#targetOf(wanted);
    const transport = this.#transportTo(target, operatorAt(wanted));
    yield { kind: "begun", traceId, requestId, target };

    const began = performance.now();
    const sinceBegin = () => Math.round((performance.now() - began) * 100) / 100;
    const timeoutMs = wanted.timeoutMs ?? policyOf(method).timeoutMs;
    let replyHeaders: Record<string, string> = {};
    try {
      const reply = await transport.stream(
        method as Parameters<Transport["stream"]>[0],
        signal,
        timeoutMs,
        headers,
        inTurn(messages, intervalMs, signal),
      );
      replyHeaders = entriesOf(reply.header);
      let number = 0;
      for await (const message of reply.message)
        yield {
          kind: "message",
          number: ++number,
          json: redactedJson(method.output, message, this.#contract.registry),
          atMs: sinceBegin(),
        };
      yield {
        kind: "end",
        end: {
          code: "OK",
          message: "",
          details: [],
          headers: replyHeaders,
          trailers: entriesOf(reply.trailer),
          durationMs: sinceBegin(),
        },
      };
    } catch (error) {
      yield { kind: "end", end: this.#failure(error, replyHeaders, sinceBegin()) };
    }
  }

  /** The one reply of a call. @throws ConnectError when it fails */
  async reply(wanted: WantedCall, signal: AbortSignal): Promise<JsonObject> {
    let json: JsonObject = {};
    for await (const event of this.call(wanted, signal)) {
      if (event.kind === "message") json = event.json;
      if (event.kind === "end" && event.end.code !== "OK")
        throw new ConnectError(`${wanted.method.name}: ${event.end.message}`, codeNamed(event.end.code));
    }
    return json;
  }

  /** A function that makes a unary call each time, for measuring: replies are read and thrown away. */
  async repeat(wanted: WantedCall): Promise<() => Promise<{ code: string; ms: number }>> {
    const { method, messages } = wanted;
    const { registry } = this.#contract;
    const message = fromJsonString(method.input, messages[0] ?? "{}", { registry });
    const transport = this.#transportTo(this.#targetOf(wanted), operatorAt(wanted));
    const timeoutMs = wanted.timeoutMs ?? policyOf(method).timeoutMs;
    return async () => {
      const traceId = randomBytes(16).toString("hex");
      const headers = await this.#headers(wanted, { traceId, requestId: randomUUID() });
      const began = performance.now();
      const code = await transport
        .unary(method as Parameters<Transport["unary"]>[0], undefined, timeoutMs, headers, message)
        .then(
          () => "OK",
          (error: unknown) => nameOfCode(ConnectError.from(error).code),
        );
      return { code, ms: performance.now() - began };
    };
  }

  close(): void {
    for (const { sessions } of this.#transports.values()) sessions.destroy();
  }

  #targetOf(wanted: WantedCall): string {
    if (wanted.edge) return this.#system.edge.url;
    const service = calleeOf(wanted);
    if (service === "*")
      throw new ConnectError("service: every service has this method; name one", Code.InvalidArgument);
    const found = this.#system.services.find(({ name }) => name === service);
    if (!found) throw new ConnectError(`no service "${service}" is running here`, Code.FailedPrecondition);
    return found.url;
  }

  /**
   * The operator proves itself by its certificate. Everybody else comes as the edge does in development, where
   * services take callers without one.
   */
  #transportTo(origin: string, operatorAt?: string): Transport {
    const key = `${operatorAt ?? ""}@${origin}`;
    const known = this.#transports.get(key);
    if (known) return known.transport;
    const sessions = operatorAt
      ? sessionsTo(operatorAt, origin, this.#workload, this.#log)
      : new Http2Sessions(origin);
    const transport = grpcTransport({ sessions, interceptors: [], readMaxBytes });
    this.#transports.set(key, { sessions, transport });
    return transport;
  }

  async #headers(
    wanted: WantedCall,
    { traceId, requestId }: { traceId: string; requestId: string },
  ): Promise<Headers> {
    const { method, user, headers = {} } = wanted;
    const sent = new Headers();
    for (const [name, value] of Object.entries(headers)) {
      if (reserved.has(name) || name.startsWith("grpc-"))
        throw new ConnectError(`headers: ${name} is not for you to set`, Code.InvalidArgument);
      sent.set(name, value);
    }
    if (!sent.has("traceparent"))
      sent.set("traceparent", `00-${traceId}-${randomBytes(8).toString("hex")}-01`);
    sent.set("x-request-id", requestId);
    const policy = policyOf(method);
    if (policy.idempotencyKeyRequired && !sent.has("idempotency-key"))
      sent.set("idempotency-key", randomUUID());
    if (user !== "") sent.set("authorization", `Bearer ${await this.#tokenOf(user)}`);
    return sent;
  }

  /** Two calls at once sign in once: the check of a password is costly, and those beyond a few are refused. */
  #tokenOf(user: string): Promise<string> {
    const known = this.#tokens.get(user);
    if (known && known.until > Date.now()) return known.token;
    const token = this.#signIn(user);
    this.#tokens.set(user, { token, until: Date.now() + tokenMs });
    token.catch(() => this.#tokens.delete(user));
    return token;
  }

  async #signIn(user: string): Promise<string> {
    const { signIn } = this.#system;
    const account = signIn && Object.hasOwn(signIn.accounts, user) ? signIn.accounts[user] : undefined;
    if (!signIn || !account)
      throw new ConnectError(`user: there is no account "${user}"`, Code.InvalidArgument);
    const method = this.#contract.method(signIn.method);
    if (!method) throw new ConnectError(`the contract has no ${signIn.method}`, Code.FailedPrecondition);
    const { registry } = this.#contract;
    const reply = await this.#transportTo(this.#system.edge.url).unary(
      method as Parameters<Transport["unary"]>[0],
      undefined,
      5_000,
      undefined,
      fromJsonString(method.input, JSON.stringify(account), { registry }),
    );
    // Not redacted: this is the one place that needs it, and it goes no further than the header.
    const token = (toJson(method.output, reply.message, { registry }) as JsonObject)[signIn.tokenField];
    if (typeof token !== "string") throw new ConnectError(`${signIn.method} gave no token`, Code.Internal);
    return token;
  }

  #failure(error: unknown, headers: Record<string, string>, durationMs: number): CallEnding {
    const status = ConnectError.from(error);
    // The contract of a system need not have the details that errors of all systems have.
    const registry = createRegistry(this.#contract.registry, file_google_rpc_error_details);
    const details = status.details.flatMap((detail): JsonObject[] => {
      try {
        const any =
          "desc" in detail
            ? anyPack(detail.desc, create(detail.desc, detail.value as never))
            : create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value });
        return [toJson(AnySchema, any, { registry }) as JsonObject];
      } catch {
        return [{ "@type": "desc" in detail ? detail.desc.typeName : detail.type }];
      }
    });
    return {
      code: nameOfCode(status.code),
      message: status.rawMessage,
      details,
      headers,
      trailers: entriesOf(status.metadata),
      durationMs,
    };
  }
}

function calleeOf({ method, service }: WantedCall): string {
  return service || policyOf(method).service;
}

/** Service that is asked as the operator; undefined for all other calls. */
export function operatorAt(wanted: WantedCall): string | undefined {
  return !wanted.edge && policyOf(wanted.method).callers.has("operator") ? calleeOf(wanted) : undefined;
}

async function* inTurn(messages: readonly Message[], intervalMs: number, signal: AbortSignal) {
  for (const [index, message] of messages.entries()) {
    if (index > 0 && intervalMs > 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      });
    if (signal.aborted) return;
    yield message;
  }
}

function entriesOf(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers]);
}

/** "NOT_FOUND" */
export function nameOfCode(code: Code): string {
  return (Code[code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

function codeNamed(name: string): Code {
  const found = Object.values(Code).find((code) => typeof code === "number" && nameOfCode(code) === name);
  return (found as Code | undefined) ?? Code.Unknown;
}
