/** Changes that were decided on: a list with reasons, in test/contract/accepted.yaml, for as long as a branch lives. */
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const schema = z.array(z.strictObject({ change: z.string().min(1), why: z.string().min(1) }));

/**
 * Change → why it was accepted.
 * @throws Error naming the file and what is wrong with it
 */
export function readAccepted(file: string): ReadonlyMap<string, string> {
  if (!existsSync(file)) return new Map();
  const parsed = schema.safeParse(parse(readFileSync(file, "utf8")) ?? []);
  if (parsed.success) return new Map(parsed.data.map(({ change, why }) => [change, why]));
  const [issue] = parsed.error.issues;
  throw new Error(`${file}: ${issue!.path.join(".")}: ${issue!.message}; each entry has a change and a why`);
}
