/** A provider that answers from a consumer's examples and knows nothing else. */
import { type DescMethod, type DescService, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import type { Example } from "../../mesh/contracts/examples/example.ts";
import { nameOf } from "../../mesh/contracts/surface.ts";
import { producer } from "../system/producer.ts";
import { fillIn, matching } from "./fill-in.ts";

export interface Recorded {
  /** For `serve`. */
  definition(contract: DescService): ServiceDefinition;
  /** From now on only these examples are known. */
  play(names: readonly string[]): void;
  /** Names of the examples that were asked for, and calls that no example knows. */
  readonly heard: ReadonlySet<string>;
}

export function recorded(examples: readonly Example[]): Recorded {
  let playing: readonly Example[] = [];
  const heard = new Set<string>();
  const answer = (rpc: DescMethod, request: unknown): unknown => {
    const json = toJson(rpc.input, request as never);
    for (const example of playing) {
      if (example.of.kind !== "rpc" || nameOf(example.of.rpc) !== nameOf(rpc)) continue;
      const values = matching(example.request, json);
      if (!values) continue;
      heard.add(example.name);
      if (example.error) throw refusal(example.error);
      return fromJson(rpc.output, fillIn(example.reads, values) as JsonValue);
    }
    heard.add(`unknown: ${rpc.name}`);
    throw new ConnectError(`no example of ${nameOf(rpc)} is like ${JSON.stringify(json)}`, Code.Unavailable);
  };
  return {
    heard,
    play(names) {
      playing = examples.filter(({ name }) => names.includes(name));
      heard.clear();
    },
    definition(contract) {
      const handlers = contract.methods.map((rpc) => [
        rpc.localName,
        async (request: unknown) => answer(rpc, request),
      ]);
      return {
        ...producer(contract, []).definition,
        compose: () => ({
          routes: (router) =>
            router.service(contract, Object.fromEntries(handlers) as Partial<ServiceImpl<typeof contract>>),
        }),
      };
    },
  };
}

function refusal({ code, reason }: NonNullable<Example["error"]>): Error {
  const name = code
    .toLowerCase()
    .replaceAll(/(^|_)([a-z])/g, (_, _bar, letter: string) => letter.toUpperCase());
  return new ServiceError(Code[name as keyof typeof Code], reason ?? "UNKNOWN", "as recorded");
}
