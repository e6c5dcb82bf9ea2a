import type { IncomingHttpHeaders } from "node:http";
import type { OutgoingHttpHeaders } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import type { HttpRequest } from "./exchange.ts";
import { httpStatusOf, StatusError } from "./status.ts";

/** A call the gateway is about to make, before its body is read. */
export interface IncomingCall {
  readonly method: DescMethod;
  readonly protocol: "rest" | "grpc" | "grpc-web" | "connect";
  readonly httpMethod: string;
  /** Raw path. */
  readonly path: string;
  /** Path template of the rule, for REST. */
  readonly route: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The client's address: that of the connection's peer, or what the host makes of it. */
  readonly peer: string | undefined;
  readonly requestId: string;
  /** What the upstream will get; may be changed in place: added to, replaced, deleted from. Keys are lower case. */
  readonly metadata: OutgoingHttpHeaders;
}

/** What a host adds to an admitted call. */
export interface Admission {
  /** Milliseconds the call may take; a smaller wish of the client wins. */
  readonly timeoutMs?: number;
  /** Largest request message in bytes after decompression; a smaller limit of the protocol wins. */
  readonly maxRequestBytes?: number;
  /** Headers for the response, whether it fails or not: rate limits, request id. */
  readonly responseHeaders?: OutgoingHttpHeaders;
}

/**
 * Decides about a call. To refuse, throw a StatusError or a ConnectError; both keep their code and details.
 * A synchronous answer costs no turn of the event loop.
 */
export type Admit = (call: IncomingCall) => Admission | undefined | Promise<Admission | undefined>;

/** How a call ended, for access log, metrics and breakers. */
export interface CallOutcome {
  /** gRPC code; 0 for OK. */
  readonly code: number;
  /** HTTP status sent; 0 when the client was gone before. */
  readonly httpStatus: number;
  readonly durationMs: number;
  readonly error: StatusError | undefined;
}

export type OnFinish = (call: IncomingCall, outcome: CallOutcome) => void;

/** All of them hear how a call ended. */
export function inTurn(...listeners: OnFinish[]): OnFinish {
  return (call, outcome) => {
    for (const listener of listeners) listener(call, outcome);
  };
}

/** The hooks every protocol shares. */
export interface CallHooks {
  readonly admit?: Admit;
  readonly onFinish?: OnFinish;
  /** The client's address for `IncomingCall`; the connection's peer when absent. */
  readonly clientAddress?: (request: HttpRequest) => string | undefined;
  /** Request id for `IncomingCall`; a random UUID when absent. */
  readonly requestId?: (headers: IncomingHttpHeaders) => string;
}

/**
 * Asks the host about a call and goes on with its answer, in the same turn where that is synchronous.
 * A refusal ends the call, which `onFinish` hears of.
 */
export function whenAdmitted(
  call: IncomingCall,
  hooks: CallHooks,
  proceed: (admission: Admission | undefined) => void,
  refuse: (error: StatusError) => void,
): void {
  const refused = (reason: unknown): void => {
    const error = StatusError.from(reason);
    hooks.onFinish?.(call, {
      code: error.code,
      httpStatus: error.httpStatus ?? httpStatusOf(error.code),
      durationMs: 0,
      error,
    });
    refuse(error);
  };
  let admission: ReturnType<Admit>;
  try {
    admission = hooks.admit?.(call);
  } catch (reason) {
    return refused(reason);
  }
  if (admission instanceof Promise) admission.then(proceed, refused);
  else proceed(admission);
}
