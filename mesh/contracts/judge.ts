/** What the gate says of two contracts and the examples of their consumers. */
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import type { Change } from "./change.ts";
import { compare } from "./changes/compare.ts";
import type { Example, Problem } from "./examples/example.ts";
import { type ReadExamples, readExamples } from "./examples/read-examples.ts";
import { type Hits, hitsOf } from "./hits.ts";
import { type Surface, surfaceOf } from "./surface.ts";

export interface Verdict {
  readonly changes: readonly { readonly change: Change; readonly hits: Hits }[];
  /** Examples that the contract, as it is now, does not keep, and that no change above explains. */
  readonly problems: readonly Problem[];
  readonly examples: readonly Example[];
  /** Accepted changes that are not there (any more). */
  readonly stale: readonly string[];
  /** Files of the contract with a change, accepted ones included. */
  readonly files: ReadonlySet<string>;
}

export interface Judged {
  readonly before: FileDescriptorSet;
  readonly now: FileDescriptorSet;
  /** Files that are the contract's own. */
  readonly ours: (file: string) => boolean;
  readonly root: string;
  /** Folder of the consumers' examples, from the root. */
  readonly consumers: string;
  /** Ids of changes that were decided on. */
  readonly accepted: ReadonlyMap<string, string>;
}

export function judge({ before, now, ours, root, consumers, accepted }: Judged): Verdict {
  const [old, is] = [surfaceOf(before, ours), surfaceOf(now, ours)];
  const changes = compare(old, is);
  const then = readExamples(root, consumers, old);
  const today = readExamples(root, consumers, is);
  return {
    changes: changes
      .filter(({ id }) => !accepted.has(id))
      .map((change) => ({ change, hits: hitsOf(change, old, then.examples) })),
    problems: unexplained(then, today, changes),
    examples: today.examples,
    files: new Set(changes.map(({ file }) => file)),
    stale: [...accepted.keys()].filter((id) => !changes.some((change) => change.id === id)),
  };
}

/** An example that was fine before is no mistake of its author's: a change broke it, and names it. */
function unexplained(then: ReadExamples, today: ReadExamples, changes: readonly Change[]): Problem[] {
  if (changes.length === 0) return [...today.problems];
  const fine = new Set(then.examples.map(({ file, line }) => `${file}:${line}`));
  return today.problems.filter(({ file, line }) => !fine.has(`${file}:${line}`));
}

/** Callers and readers that have not said what they rely on, as "CONSUMER → PROVIDER: WHAT". */
export function withoutExample({ rpcs, events }: Surface, examples: readonly Example[]): string[] {
  const said = new Set(
    examples.map(({ consumer, of }) =>
      of.kind === "event" ? `${consumer} ${of.type}` : `${consumer} ${of.rpc.parent.typeName}/${of.rpc.name}`,
    ),
  );
  const byCall = [...rpcs].flatMap(([name, { policy, provider }]) =>
    policy.callers
      .filter(
        (caller) =>
          caller !== "edge" && caller !== "*" && caller !== provider && !said.has(`${caller} ${name}`),
      )
      .map((caller) => `${caller} → ${provider}: ${name}`),
  );
  const byEvent = [...events.values()].flatMap(({ type, publishers, consumers }) =>
    consumers
      .filter(({ service }) => !said.has(`${service} ${type}`))
      .map(({ service }) => `${service} → ${publishers.join(", ")}: ${type}`),
  );
  return [...byCall, ...byEvent].sort();
}
