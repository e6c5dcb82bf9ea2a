/** Path templates of google/api/http.proto, as far as a document needs them; the edge checks the rest. */

export interface TemplateSegment {
  /** As written, percent-encoding included; undefined for a wildcard. */
  readonly literal: string | undefined;
  /** A "**", which takes any number of segments. */
  readonly many: boolean;
  /** Variable the segment belongs to. */
  readonly variable: TemplateVariable | undefined;
}

export interface TemplateVariable {
  /** Field path in proto names, such as "book.name". */
  readonly path: string;
  /** What it captures, such as "shelves/*". */
  readonly pattern: string;
}

export interface PathTemplate {
  readonly segments: readonly TemplateSegment[];
  /** Without the colon; "" for none. */
  readonly verb: string;
}

/**
 * @throws Error that quotes a template which is none
 */
export function parsePathTemplate(source: string): PathTemplate {
  const parts = /^(?<path>\/(?:[^{}:]|\{[^{}]*\})*)(?::(?<verb>[^/:{}]+))?$/.exec(source)?.groups;
  if (!parts?.path) throw new Error(`"${source}" is no path template`);
  const pieces = parts.path.slice(1).match(/\{[^{}]*\}|[^/{}]+|\//g) ?? [];
  return { segments: pieces.filter((piece) => piece !== "/").flatMap(segmentsOf), verb: parts.verb ?? "" };
}

function segmentsOf(piece: string): TemplateSegment[] {
  if (!piece.startsWith("{")) return [segment(piece, undefined)];
  const [path = "", pattern = "*"] = piece.slice(1, -1).split("=");
  const variable = { path, pattern };
  return pattern.split("/").map((text) => segment(text, variable));
}

function segment(text: string, variable: TemplateVariable | undefined): TemplateSegment {
  const many = text === "**";
  return { literal: many || text === "*" ? undefined : text, many, variable };
}
