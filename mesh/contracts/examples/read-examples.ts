/** Reads FOLDER/CONSUMER/PROVIDER.yaml and checks every example against the contract. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { isMap, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { z } from "zod";
import { EDGE, OPERATOR } from "../../codegen/weft/contract/model.ts";
import { nameOf, type Rpc, type Surface } from "../surface.ts";
import { JsonCheck } from "./check-json.ts";
import type { Example, Problem } from "./example.ts";

const json = z.record(z.string(), z.unknown());
const schema = z.strictObject({
  name: z.string().min(1),
  rpc: z.string().optional(),
  rest: z.string().optional(),
  event: z.string().optional(),
  as: z.strictObject({ roles: z.array(z.string()) }).optional(),
  given: z.array(z.string()).default([]),
  request: json.default({}),
  reply: json.optional(),
  reads: json.optional(),
  error: z.strictObject({ code: z.string(), reason: z.string().optional() }).optional(),
});
type Written = z.output<typeof schema>;

const CODES =
  "CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

export interface ReadExamples {
  readonly examples: readonly Example[];
  readonly problems: readonly Problem[];
}

/**
 * @param root of the repository; files are named from there
 * @param folder below it; need not exist
 */
export function readExamples(root: string, folder: string, surface: Surface): ReadExamples {
  const examples: Example[] = [];
  const problems: Problem[] = [];
  const top = join(root, folder);
  const files = existsSync(top) ? readdirSync(top, { recursive: true, encoding: "utf8" }) : [];
  for (const name of files.filter((each) => each.endsWith(".yaml")).sort()) {
    const file = relative(root, join(top, name));
    const lines = new LineCounter();
    const document = parseDocument(readFileSync(join(top, name), "utf8"), { lineCounter: lines });
    const at = (offset: number | undefined) => lines.linePos(offset ?? 0).line;
    for (const error of document.errors)
      problems.push({ file, line: at(error.pos[0]), problem: error.message });
    if (document.errors.length > 0) continue;
    if (!isSeq(document.contents)) {
      problems.push({ file, line: 1, problem: "must be a list of examples" });
      continue;
    }
    const [consumer = "", provider = ""] = [name.split(/[\\/]/)[0], basename(name, ".yaml")];
    for (const item of document.contents.items) {
      const line = at(isMap(item) ? (item as YAMLMap).range?.[0] : 0);
      const parsed = schema.safeParse(isMap(item) ? item.toJS(document) : item);
      const found = parsed.success
        ? check(parsed.data, { consumer, provider, file, line }, surface)
        : parsed.error.issues.map((issue) => `${issue.path.join(".") || "it"}: ${issue.message}`);
      if (Array.isArray(found)) for (const problem of found) problems.push({ file, line, problem });
      else examples.push(found);
    }
  }
  return { examples, problems };
}

type Head = Pick<Example, "consumer" | "provider" | "file" | "line">;

/** @returns the example, or what is wrong with it */
function check(written: Written, head: Head, surface: Surface): Example | string[] {
  const { rpc, rest, event } = written;
  if ([rpc, rest, event].filter(Boolean).length !== 1) return ["must have one of rpc, rest and event"];
  if (event) return checkEvent(written, head, event, surface);
  const found = rpc ? surface.rpcs.get(rpc) : byRoute(surface, rest!);
  if (!found) return [rpc ? noRpc(surface, rpc, head.provider) : noRoute(surface, rest!, head.provider)];
  return checkCall(written, head, found, surface);
}

function checkEvent(written: Written, head: Head, type: string, surface: Surface): Example | string[] {
  const event = surface.events.get(type);
  if (!event)
    return [`event "${type}" does not exist; there are ${[...surface.events.keys()].sort().join(", ")}`];
  const problems: string[] = [];
  if (!event.publishers.includes(head.provider))
    problems.push(`event "${type}" comes from ${event.publishers.join(", ")}, not from "${head.provider}"`);
  if (!event.consumers.some(({ service }) => service === head.consumer))
    problems.push(
      `"${head.consumer}" is no reader of ${type}: add it to (weft.policy.v1.event).consumers, or remove the example`,
    );
  if (written.reply || written.error || Object.keys(written.request).length > 0)
    problems.push("an event has `reads` only");
  const reads = new JsonCheck();
  reads.message(event.desc, written.reads ?? {}, "reads.");
  if (problems.length + reads.problems.length > 0) return [...problems, ...reads.problems];
  const uses = { fields: reads.fields, sent: new Set<string>(), enums: reads.enums };
  return whole(written, head, { kind: "event", type }, written.reads ?? {}, uses);
}

function checkCall(written: Written, head: Head, rpc: Rpc, surface: Surface): Example | string[] {
  const { consumer, provider } = head;
  const name = nameOf(rpc.desc);
  const problems: string[] = [];
  if (rpc.provider !== provider && rpc.provider !== "*")
    problems.push(`${name} is served by "${rpc.provider}", not by "${provider}"`);
  const { callers } = rpc.policy;
  if (written.rest && !callers.includes(EDGE)) problems.push(`${name} is not open at the edge`);
  if (written.rpc && !callers.includes(consumer) && !callers.includes("*"))
    problems.push(`"${consumer}" may not call ${name}; it is open to ${callers.join(", ") || "nobody"}`);
  if (written.reads) problems.push("a call has `reply` or `error`, not `reads`");
  if (written.reply && written.error) problems.push("has a reply and an error; it can have one of them");
  if (written.error && !CODES.includes(written.error.code))
    problems.push(`error.code: "${written.error.code}" is no code of gRPC; there are ${CODES.join(", ")}`);
  const [sent, reads] = [new JsonCheck(), new JsonCheck()];
  sent.message(rpc.desc.input, written.request, "request.");
  if (written.reply) reads.message(rpc.desc.output, written.reply, "reply.");
  problems.push(...sent.problems, ...reads.problems);
  if (problems.length > 0) return problems;
  const enums = new Set([...sent.enums, ...reads.enums, ...reasonOf(written, rpc, surface)]);
  const uses = { fields: new Set([...sent.fields, ...reads.fields]), sent: sent.messages, enums };
  const of = { kind: "rpc", rpc: rpc.desc, ...(written.rest && { route: written.rest }) } as const;
  return whole(written, head, of, written.reply ?? {}, uses);
}

/** The value of the provider's enum of reasons, where its package has one with that name. */
function reasonOf({ error }: Written, { desc }: Rpc, { enums }: Surface): string[] {
  const type = `${desc.parent.file.proto.package}.ErrorReason`;
  const known = enums.get(type)?.values.some(({ name }) => name === error?.reason);
  return known ? [`${type}.${error!.reason}`] : [];
}

function whole(
  { name, as, given, request, error }: Written,
  head: Head,
  of: Example["of"],
  reads: Example["reads"],
  uses: Example["uses"],
): Example {
  return { ...head, name, of, roles: as?.roles, given, request, reads, error, uses };
}

function byRoute({ rpcs }: Surface, route: string): Rpc | undefined {
  return [...rpcs.values()].find(({ routes }) => routes.has(route));
}

function noRpc({ rpcs }: Surface, name: string, provider: string): string {
  const known = [...rpcs].filter(([, rpc]) => rpc.provider === provider).map(([each]) => each);
  return `rpc "${name}" does not exist; ${provider} serves ${known.join(", ") || "nothing: there is no such service"}`;
}

function noRoute({ rpcs }: Surface, route: string, provider: string): string {
  const known = [...rpcs.values()].filter((rpc) => rpc.provider === provider);
  const routes = known.flatMap((rpc) => [...rpc.routes.keys()]);
  return `route "${route}" does not exist; ${provider} has ${routes.join(", ") || "none"}`;
}

/** Workloads of the contract, by name. */
export function workloadsOf({ rpcs }: Surface): ReadonlySet<string> {
  return new Set([...[...rpcs.values()].map(({ provider }) => provider), EDGE, OPERATOR]);
}
