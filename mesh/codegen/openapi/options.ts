/** What plugin parameters say about the document as a whole. */
export interface DocumentOptions {
  /** info.title */
  readonly title: string;
  /** info.version */
  readonly version: string;
  /** info.summary; "" for none. */
  readonly summary: string;
  /** SPDX expression for info.license; "" for none. */
  readonly license: string;
  /** Base URLs; "/" is the origin that serves the document. */
  readonly servers: readonly string[];
}

/**
 * Parses `title=...,version=...,license=...,summary=...,server=URL` (`server` may repeat).
 * @throws Error naming the parameter that is unknown, empty or given twice
 */
export function parseOptions(parameter: string): DocumentOptions {
  const single = new Map([
    ["title", "API"],
    ["version", "1.0.0"],
    ["summary", ""],
    ["license", ""],
  ]);
  const seen = new Set<string>();
  const servers: string[] = [];
  for (const part of parameter.split(",").filter(Boolean)) {
    const equals = part.indexOf("=");
    const name = (equals < 0 ? part : part.slice(0, equals)).trim();
    const value = equals < 0 ? "" : part.slice(equals + 1).trim();
    if (name !== "server" && !single.has(name)) {
      throw new Error(`parameter "${name}" is unknown; there are ${[...single.keys(), "server"].join(", ")}`);
    }
    if (!value) throw new Error(`parameter "${name}" has no value`);
    if (name === "server") servers.push(value);
    else if (seen.has(name)) throw new Error(`parameter "${name}" is given twice`);
    else single.set(name, value);
    seen.add(name);
  }
  const [title, version, summary, license] = [...single.values()] as [string, string, string, string];
  return { title, version, summary, license, servers: servers.length > 0 ? servers : ["/"] };
}
