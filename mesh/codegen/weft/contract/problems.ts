/** What is wrong with a contract, collected so that one run tells all of it. */
import { type Optioned, placeOf } from "./place.ts";

/** One thing to mend. */
export interface Problem {
  readonly desc: Optioned;
  /** Path of the option from our extension inwards, such as "retry.attempts"; "" for the option as a whole. */
  readonly option: string;
  readonly problem: string;
  /** What to write instead. */
  readonly instead: string;
}

export class Problems {
  readonly #lines: { place: string; line: string }[] = [];

  add({ desc, option, problem, instead }: Problem): void {
    const place = placeOf(desc, fieldNumbers(desc, option));
    const name = desc.kind === "rpc" ? `${desc.parent.typeName}.${desc.name}` : desc.typeName;
    const extension = { service: "service", rpc: "method", message: "event" }[desc.kind];
    const path = option ? `(weft.policy.v1.${extension}).${option}` : `(weft.policy.v1.${extension})`;
    this.#lines.push({ place, line: `${place}: ${name}: ${path} ${problem}; write ${instead}` });
  }

  /** @throws Error with a line for each problem, in order of file and line */
  throwIfAny(): void {
    if (this.#lines.length === 0) return;
    const sorted = this.#lines.toSorted((a, b) => a.place.localeCompare(b.place, "en", { numeric: true }));
    throw new Error([...new Set(sorted.map(({ line }) => line))].join("\n"));
  }
}

/** Numbers of policy.proto's fields, for finding their line. Kept true by contract.test.ts. */
export const optionFields: Record<Optioned["kind"], Record<string, readonly number[]>> = {
  service: { name: [1], defaults: [2] },
  rpc: {
    access: [1],
    callers: [2],
    timeout: [3],
    retry: [4],
    "retry.attempts": [4, 1],
    "retry.per_try_timeout": [4, 2],
    "retry.codes": [4, 5],
    breaker: [5],
    "breaker.ratio": [5, 1],
    "breaker.minimum_rps": [5, 2],
    "breaker.max_open": [5, 5],
    rate_limit: [7],
    cache: [9],
    slo: [10],
    "slo.availability": [10, 1],
    "slo.latency": [10, 2],
    "rest.success_status": [11, 1],
  },
  message: { subject: [1], key: [2], version: [3], consumers: [4] },
};

function fieldNumbers(desc: Optioned, option: string): readonly number[] {
  return optionFields[desc.kind][option.replace(/\[\d+\].*$/, "")] ?? [];
}
