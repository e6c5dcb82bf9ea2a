import type { PathTemplate, TemplateSegment } from "./path-template.ts";
import { decodePercent } from "./percent.ts";

/** What a route must say to be found; the transcoder's route plans do. */
export interface Routable {
  /** HTTP method, or "*" for any. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** Whether HEAD may be answered from this GET: true for unary methods. */
  readonly headAllowed: boolean;
}

export type RouteMatch<R> =
  | { readonly kind: "found"; readonly route: R; readonly segments: readonly string[] }
  | { readonly kind: "wrong-method"; readonly allow: readonly string[] }
  | { readonly kind: "none" };

interface Node<R> {
  readonly literals: Map<string, Node<R>>;
  one: Node<R> | undefined;
  /** Routes that end here, or in "**" here, by verb ("" for none) and method. */
  readonly ends: Map<string, Map<string, R>>;
  readonly rests: Map<string, Map<string, R>>;
}

const newNode = <R>(): Node<R> => ({
  literals: new Map(),
  one: undefined,
  ends: new Map(),
  rests: new Map(),
});
/** Most characters that stand for one: three bytes as %XX. */
const MOST_ENCODED = 9;
const ORDER = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/**
 * A trie over decoded segments. In every segment a literal beats "*" beats "**"; a branch whose routes lack
 * the request's method is left again, so it shadows nothing. The cost depends on the segments of the
 * request, not on the number of routes.
 */
export class Router<R extends Routable> {
  readonly #root: Node<R> = newNode();
  readonly #verbs = new Set<string>();
  /** In characters, percent-encoded: a colon further from the end begins no verb. */
  #longestVerb = 0;
  readonly #methods = new Set<string>(["OPTIONS"]);

  /**
   * @returns the route that already owns this method and shape, if any; then nothing is added
   */
  add(route: R): R | undefined {
    const { segments, verb = "" } = route.template;
    let node = this.#root;
    let table = node.ends;
    for (const segment of segments) {
      if (segment.kind === "rest") {
        table = node.rests;
        break;
      }
      node = child(node, segment);
      table = node.ends;
    }
    const methods = table.get(verb) ?? new Map<string, R>();
    table.set(verb, methods);
    const owner = methods.get(route.httpMethod);
    if (owner) return owner;
    methods.set(route.httpMethod, route);
    if (verb) this.#verbs.add(verb);
    this.#longestVerb = Math.max(this.#longestVerb, verb.length * MOST_ENCODED);
    this.#methods.add(route.httpMethod);
    return undefined;
  }

  /**
   * @param path raw, already checked (`checkPath`), starting with "/"; "*" asks for the whole server
   * @returns the route with the raw segments (verb removed), or the methods the path has
   */
  find(method: string, path: string): RouteMatch<R> {
    if (path === "*") return { kind: "wrong-method", allow: sorted(this.#methods) };
    const segments = path === "/" ? [] : path.slice(1).split("/");
    if (this.#verbs.size > 0 && segments.length > 0) {
      const owned = this.#findVerb(method, segments);
      if (owned) return owned;
    }
    return this.#search(method, segments, "");
  }

  /** A bound verb owns its URL: whatever method it is asked with, the colon is then no data. */
  #findVerb(method: string, segments: readonly string[]): RouteMatch<R> | undefined {
    const last = segments[segments.length - 1]!;
    const from = Math.max(0, last.length - 1 - this.#longestVerb);
    for (let colon = last.indexOf(":", from); colon >= 0; colon = last.indexOf(":", colon + 1)) {
      const verb = decodePercent(last.slice(colon + 1), "path");
      if (!this.#verbs.has(verb)) continue;
      const stem = last.slice(0, colon);
      const without = segments.slice(0, -1);
      if (stem !== "" || segments.length > 1) without.push(stem);
      const match = this.#search(method, without, verb);
      if (match.kind !== "none") return match;
    }
    return undefined;
  }

  #search(method: string, segments: readonly string[], verb: string): RouteMatch<R> {
    const allow = new Set<string>();
    const route = walk(this.#root, segments, 0, verb, method, allow);
    if (route) return { kind: "found", route, segments };
    if (allow.size === 0) return { kind: "none" };
    allow.add("OPTIONS");
    return { kind: "wrong-method", allow: sorted(allow) };
  }
}

function child<R>(node: Node<R>, segment: TemplateSegment): Node<R> {
  if (segment.kind !== "literal") {
    node.one ??= newNode();
    return node.one;
  }
  const next = node.literals.get(segment.text) ?? newNode<R>();
  node.literals.set(segment.text, next);
  return next;
}

function walk<R extends Routable>(
  node: Node<R>,
  segments: readonly string[],
  at: number,
  verb: string,
  method: string,
  allow: Set<string>,
): R | undefined {
  if (at === segments.length) {
    return pick(node.ends.get(verb), method, allow) ?? pick(node.rests.get(verb), method, allow);
  }
  const segment = segments[at]!;
  const literal = node.literals.size > 0 ? node.literals.get(decodePercent(segment, "path")) : undefined;
  return (
    (literal && walk(literal, segments, at + 1, verb, method, allow)) ??
    (node.one && segment !== "" ? walk(node.one, segments, at + 1, verb, method, allow) : undefined) ??
    pick(node.rests.get(verb), method, allow)
  );
}

/** The route for the method; without one, adds the methods there are to `allow`. */
function pick<R extends Routable>(
  methods: Map<string, R> | undefined,
  method: string,
  allow: Set<string>,
): R | undefined {
  if (!methods) return undefined;
  const exact = methods.get(method);
  if (exact) return exact;
  const get = methods.get("GET");
  if (method === "HEAD" && get?.headAllowed) return get;
  const any = methods.get("*");
  if (any && method !== "HEAD") return any;
  if (any?.headAllowed) return any;
  for (const name of methods.keys()) if (name !== "*") allow.add(name);
  if (get?.headAllowed) allow.add("HEAD");
  return undefined;
}

function sorted(methods: Set<string>): string[] {
  const rank = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return [...methods].filter((name) => name !== "*").sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
