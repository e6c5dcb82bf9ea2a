/** A contract as its consumers see it: RPCs with their policies and routes, events with their readers, messages. */
import {
  createFileRegistry,
  type DescEnum,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
} from "@bufbuild/protobuf";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import type { FieldPolicy, ServicePolicy } from "#gen/weft/policy/v1/policy_pb.ts";
import { readOption } from "../codegen/read-option.ts";
import type { MeshEvent, Policy } from "../codegen/weft/contract/model.ts";
import { readEvent, writtenEvents } from "../codegen/weft/contract/read-events.ts";
import { isIdempotent, readPolicy, writtenPolicy } from "../codegen/weft/contract/read-policy.ts";

export interface Rpc {
  readonly desc: DescMethod;
  /** Name of its service in the mesh; "*" for what every service serves. */
  readonly provider: string;
  readonly policy: Policy;
  readonly idempotent: boolean;
  /** "GET /v1/things/{id}" → what of the messages is the body. */
  readonly routes: ReadonlyMap<string, string>;
}

export interface EventOf extends MeshEvent {
  readonly desc: DescMessage;
}

export interface Surface {
  readonly registry: FileRegistry;
  /** By "pkg.Service/Method". */
  readonly rpcs: ReadonlyMap<string, Rpc>;
  /** By full name of the message. */
  readonly events: ReadonlyMap<string, EventOf>;
  /** Messages and enums of the contract's own files, by full name. */
  readonly messages: ReadonlyMap<string, DescMessage>;
  readonly enums: ReadonlyMap<string, DescEnum>;
}

/** @param set compiled with all imports; files that are `ours` make up the contract */
export function surfaceOf(set: FileDescriptorSet, ours: (file: string) => boolean): Surface {
  const registry = createFileRegistry(set);
  const files = [...registry.files].filter(({ proto }) => ours(proto.name));
  const messages = files.flatMap((file) => file.messages.flatMap(withNested));
  const enums = [...files.flatMap((file) => file.enums), ...messages.flatMap((each) => each.nestedEnums)];
  const rpcs = files
    .flatMap((file) => file.services)
    .flatMap((service) => {
      const policy = readOption<ServicePolicy>(registry, service, "weft.policy.v1.service");
      return policy ? service.methods.map((desc) => rpcOf(registry, desc, policy.name)) : [];
    });
  const events = writtenEvents(registry, files).map((written): EventOf => {
    const packageName = written.desc.file.proto.package;
    const publishers = rpcs.filter(({ desc }) => desc.parent.file.proto.package === packageName);
    const names = [...new Set(publishers.map(({ provider }) => provider))].sort();
    return { ...readEvent(written, names), desc: written.desc };
  });
  return {
    registry,
    rpcs: new Map(rpcs.map((rpc) => [nameOf(rpc.desc), rpc])),
    events: new Map(events.map((event) => [event.type, event])),
    messages: new Map(messages.map((each) => [each.typeName, each])),
    enums: new Map(enums.map((each) => [each.typeName, each])),
  };
}

/** "pkg.Service/Method" */
export function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Whether the contract keeps the field out of logs. */
export function isSensitive({ registry }: Surface, field: DescMessage["fields"][number]): boolean {
  return readOption<FieldPolicy>(registry, field, "weft.policy.v1.field")?.sensitive ?? false;
}

function rpcOf(registry: FileRegistry, desc: DescMethod, provider: string): Rpc {
  const rule = readOption<HttpRule>(registry, desc, "google.api.http");
  const bindings = rule ? [rule, ...rule.additionalBindings] : [];
  const routes = bindings.flatMap(({ pattern, body, responseBody }): [string, string][] => {
    if (pattern.case === undefined) return [];
    const [verb, path] =
      pattern.case === "custom"
        ? [pattern.value.kind, pattern.value.path]
        : [pattern.case.toUpperCase(), pattern.value];
    return [[`${verb} ${path}`, `request "${body}", reply "${responseBody}"`]];
  });
  return {
    desc,
    provider,
    policy: readPolicy(desc, writtenPolicy(registry, desc)),
    idempotent: isIdempotent(desc),
    routes: new Map(routes),
  };
}

function withNested(message: DescMessage): DescMessage[] {
  return [message, ...message.nestedMessages.flatMap(withNested)];
}
