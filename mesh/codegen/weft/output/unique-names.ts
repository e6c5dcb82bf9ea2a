/** Names of resources that stay the same when others come and go. */
import { createHash } from "node:crypto";

/** Longest name that is also a label and a host (RFC 1123). */
const LONGEST = 63;

/**
 * Gives each key its wanted name. One that is too long, taken or wanted by several ends in a hash of its identity
 * instead, so that no name depends on the order of the contract.
 * @param wanted what to name: its wanted name, of lower-case letters, digits and dashes, and what tells it from all others
 * @param taken names that nothing may get
 */
export function uniqueNames<K>(
  wanted: readonly { readonly key: K; readonly name: string; readonly identity: string }[],
  taken: ReadonlySet<string> = new Set(),
): Map<K, string> {
  const times = new Map<string, number>();
  for (const { name } of wanted) times.set(name, (times.get(name) ?? 0) + 1);
  return new Map(
    wanted.map(({ key, name, identity }) => {
      const plain = name.length <= LONGEST && times.get(name) === 1 && !taken.has(name);
      return [key, plain ? name : withHash(name, identity)];
    }),
  );
}

/** "a-long-na-1b2c3d4e": eight hexadecimal digits, which 2,000 names share with a chance of 1 in 2,000. */
function withHash(name: string, identity: string): string {
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 8);
  return `${name.slice(0, LONGEST - hash.length - 1).replace(/-+$/, "")}-${hash}`;
}
