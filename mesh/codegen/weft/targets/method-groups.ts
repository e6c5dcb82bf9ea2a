/** Methods that a target can treat alike. */
import type { MeshMethod } from "../contract/model.ts";

/**
 * Methods by what `keyOf` gives for them, in order of first appearance.
 * @returns groups; the largest first where `largestFirst`, so that it can serve as the default
 */
export function groupMethods<K>(
  methods: readonly MeshMethod[],
  keyOf: (method: MeshMethod) => K,
): { key: K; methods: MeshMethod[] }[] {
  const groups = new Map<string, { key: K; methods: MeshMethod[] }>();
  for (const method of methods) {
    const key = keyOf(method);
    const text = JSON.stringify(key);
    const group = groups.get(text);
    if (group) group.methods.push(method);
    else groups.set(text, { key, methods: [method] });
  }
  return [...groups.values()];
}
