import type { ContextKey, ContextValues, HandlerContext, UnaryRequest } from "@connectrpc/connect";
import type { KeptDeadline } from "../deadline.ts";

/** What a handler knows of its call. */
export class CallContext implements HandlerContext {
  readonly protocolName = "grpc";
  readonly service: HandlerContext["service"];
  readonly method: HandlerContext["method"];
  readonly requestMethod: string;
  readonly requestHeader: Headers;
  readonly responseHeader: Headers;
  readonly responseTrailer: Headers;
  readonly values: ContextValues;
  readonly #request: UnaryRequest;
  readonly #clock: KeptDeadline;

  constructor(request: UnaryRequest, clock: KeptDeadline, header: Headers, trailer: Headers) {
    this.service = request.service;
    this.method = request.method;
    this.requestMethod = request.requestMethod;
    this.requestHeader = request.header;
    this.responseHeader = header;
    this.responseTrailer = trailer;
    this.values = request.contextValues;
    this.#request = request;
    this.#clock = clock;
  }

  get url(): string {
    return this.#request.url;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  timeoutMs(): number | undefined {
    const { at } = this.#clock;
    return Number.isFinite(at) ? at - Date.now() : undefined;
  }
}

/** Connect's own makes three functions for each call. */
export class CallValues implements ContextValues {
  get<T>(key: ContextKey<T>): T {
    return key.id in this ? (this as unknown as Record<symbol, T>)[key.id]! : key.defaultValue;
  }

  set<T>(key: ContextKey<T>, value: T): this {
    (this as unknown as Record<symbol, T>)[key.id] = value;
    return this;
  }

  delete(key: ContextKey<unknown>): this {
    delete (this as unknown as Record<symbol, unknown>)[key.id];
    return this;
  }
}
