import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { ContextValues, UnaryRequest } from "@connectrpc/connect";

/** What a request is made of. */
export interface RequestParts {
  readonly method: DescMethodUnary;
  readonly url: string;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly message: Message;
  /** Whoever knows the signal of the call; it is made when asked for, since most calls never need one. */
  readonly call: { readonly signal: AbortSignal };
}

const call = Symbol("call");

/**
 * An own property: interceptors copy the request. One getter for all requests: with a getter of its own each would be
 * an object of its own shape, which costs more than an interceptor.
 */
const signal: PropertyDescriptor = {
  enumerable: true,
  configurable: true,
  get(this: CallRequest) {
    return this[call].signal;
  },
};

/** A request as interceptors see it. */
export class CallRequest implements UnaryRequest {
  readonly stream = false;
  readonly service: UnaryRequest["service"];
  readonly method: DescMethodUnary;
  readonly requestMethod = "POST";
  readonly url: string;
  declare readonly signal: AbortSignal;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly message: Message;
  readonly [call]: RequestParts["call"];

  constructor(parts: RequestParts) {
    this.service = parts.method.parent;
    this.method = parts.method;
    this.url = parts.url;
    this.header = parts.header;
    this.contextValues = parts.contextValues;
    this.message = parts.message;
    this[call] = parts.call;
    Object.defineProperty(this, "signal", signal);
  }
}
