import { create, type DescMethod, type JsonObject } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import {
  type CallPart,
  CallPartSchema,
  type CallRequest,
  CallRequest_Via as Via,
} from "#gen/weft/dashboard/v1/explorer_pb.ts";
import { isExposed } from "#mesh/runtime/policy/access.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { requestExample } from "../../mesh/codegen/openapi/example/example-of-message.ts";
import type { CallEvent, WantedCall } from "../sources/caller.ts";
import type { Sources } from "../sources/sources.ts";
import { kindOf } from "./contract.ts";
import { copyCall } from "./copy-call.ts";
import { jsonSchemaOf } from "./json-schema.ts";

/** Calls methods of the contract, and says how they are called. */
export function explorerRpc(sources: Sources) {
  const { contract, caller, config, log } = sources;
  const methodOf = (name: string): DescMethod => {
    const method = contract.method(name);
    if (!method) throw new ConnectError(`the contract has no method "${name}"`, Code.NotFound);
    return method;
  };
  const wantedOf = (call: CallRequest): WantedCall => {
    const method = methodOf(call.method);
    const via = viaOf(method, call.via);
    const { messages } = call;
    if (method.methodKind === "unary" || method.methodKind === "server_streaming") {
      if (messages.length > 1)
        throw new ConnectError("messages: this method takes one", Code.InvalidArgument);
    }
    return {
      method,
      messages: messages.length === 0 && !takesStream(method) ? ["{}"] : messages,
      intervalMs: call.interval && durationMs(call.interval),
      service: call.service,
      edge: via === Via.EDGE,
      user: call.user,
      headers: call.headers,
      timeoutMs: call.timeout && durationMs(call.timeout),
    };
  };
  return {
    getMethodForm: ({ method: name }) => {
      const method = methodOf(name);
      const { access } = policyOf(method);
      return {
        method: name,
        kind: kindOf(method),
        requestSchema: jsonSchemaOf(method.input, "request", contract.registry),
        replySchema: jsonSchemaOf(method.output, "reply", contract.registry),
        example: JSON.stringify(requestExample(method.input, [], contract.registry) ?? {}, null, 2),
        vias: viasOf(method),
        needsUser: access?.case !== "public" && access?.case !== "serviceOnly",
      };
    },
    async *call(request, { signal }) {
      const wanted = wantedOf(request);
      for await (const event of caller.call(wanted, signal)) {
        if (event.kind === "end")
          log.info({ rpc: request.method, user: request.user, code: event.end.code }, "called by hand");
        yield partOf(event);
      }
    },
    copyCall: ({ call, form }) => {
      const wanted = wantedOf(call!);
      return { text: copyCall(wanted, form, { system: config.system, contract, identity: config }) };
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

/** Whether a method takes any number of requests. */
function takesStream(method: DescMethod): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}

/** As the edge's own outside, or as the operator: what others may call nobody calls by hand. */
function viasOf(method: DescMethod): Via[] {
  const { callers } = policyOf(method);
  return [
    ...(isExposed(method) ? [Via.EDGE] : []),
    ...(callers.has("edge") || callers.has("operator") || callers.has("*") ? [Via.DIRECT] : []),
  ];
}

function viaOf(method: DescMethod, wanted: Via): Via {
  const possible = viasOf(method);
  const via = wanted === Via.VIA_UNSPECIFIED ? possible[0] : wanted;
  if (via !== undefined && possible.includes(via)) return via;
  const callers = [...policyOf(method).callers].join(", ") || "nobody";
  throw new ConnectError(`via: only ${callers} may call ${method.name}`, Code.FailedPrecondition);
}

function partOf(event: CallEvent): CallPart {
  switch (event.kind) {
    case "begun": {
      const { kind, ...value } = event;
      return create(CallPartSchema, { part: { case: "begun", value } });
    }
    case "message": {
      const { number, json, atMs } = event;
      const value = { number, json: JSON.stringify(json, null, 2), atMs };
      return create(CallPartSchema, { part: { case: "message", value } });
    }
    case "end": {
      const { details, ...end } = event.end;
      const value = { ...end, details: details.map((detail: JsonObject) => JSON.stringify(detail, null, 2)) };
      return create(CallPartSchema, { part: { case: "end", value } });
    }
  }
}
