/** RPCs that are gone, or speak of other messages, in another way, under other addresses. */
import type { AnyDesc } from "@bufbuild/protobuf";
import type { Change } from "../change.ts";
import { nameOf, type Rpc, type Surface } from "../surface.ts";
import { at } from "./at.ts";

export function compareRpcs(before: Surface, now: Surface): Change[] {
  return [...before.rpcs.values()].flatMap((was) => {
    const is = now.rpcs.get(nameOf(was.desc));
    return is ? [...shape(was, is), ...routes(was, is)] : [removed(was, now)];
  });
}

function removed(was: Rpc, now: Surface): Change {
  const { desc } = was;
  const where: AnyDesc =
    now.registry.getService(desc.parent.typeName) ??
    now.registry.getFile(desc.parent.file.proto.name) ??
    desc;
  return at(nameOf(desc), where, "removed", "the RPC is gone", { kind: "rpc", rpc: desc });
}

function shape({ desc: was }: Rpc, { desc: is }: Rpc): Change[] {
  const change = (id: string, means: string) => at(nameOf(was), is, id, means, { kind: "rpc", rpc: was });
  const words = (kind: string) => kind.replace("_", " ");
  return [
    ...(was.methodKind === is.methodKind
      ? []
      : [change("streaming", `was ${words(was.methodKind)}, is ${words(is.methodKind)}`)]),
    ...(was.input.typeName === is.input.typeName
      ? []
      : [change("request", `takes ${is.input.typeName}, not ${was.input.typeName}`)]),
    ...(was.output.typeName === is.output.typeName
      ? []
      : [change("reply", `answers ${is.output.typeName}, not ${was.output.typeName}`)]),
  ];
}

function routes(was: Rpc, is: Rpc): Change[] {
  return [...was.routes].flatMap(([route, body]) => {
    const touches = { kind: "rpc", rpc: was.desc, only: { route } } as const;
    const now = is.routes.get(route);
    if (now === undefined) {
      const others = [...is.routes.keys()].filter((each) => !was.routes.has(each)).join(", ");
      const means = others ? `${route} is gone; new is ${others}` : `${route} is gone`;
      return [at(nameOf(was.desc), is.desc, `route ${route}`, means, touches)];
    }
    if (now === body) return [];
    return [at(nameOf(was.desc), is.desc, `body ${route}`, `the body was ${body}, is ${now}`, touches)];
  });
}
