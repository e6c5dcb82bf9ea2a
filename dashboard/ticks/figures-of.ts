import { EDGE } from "../../mesh/codegen/weft/contract/model.ts";
import type { Sources } from "../sources/sources.ts";

type State = Sources["processes"]["states"][number];

/** A set of figures: what one page of /metrics tells. */
export interface FiguresOf {
  /** Name under which they are kept. */
  readonly name: string;
  /** Node of the topology that they are of. */
  readonly node: string;
  /** Base URL of what has the page. */
  readonly url: string;
  /** Whether all but the edge call it in memory, where nobody has to prove anything. */
  readonly inMemory: boolean;
}

/** Figures that a process has: one set, or one of each service and the edge in the one process of --single. */
export function figuresOf(
  { config: { system } }: Pick<Sources, "config">,
  { name, service, kind, port }: Pick<State, "name" | "service" | "kind" | "port">,
): FiguresOf[] {
  if (kind === "server" || kind === "dashboard") return [];
  if (kind === "single")
    return [...system.services, system.edge].map(({ name: node, url }) => ({
      name: `${name} ${url}`,
      node: node === system.edge.name ? EDGE : node,
      url,
      inMemory: true,
    }));
  return [{ name, node: kind === "edge" ? EDGE : service, url: `http://127.0.0.1:${port}`, inMemory: false }];
}
