/**
 * The path template language of google/api/http.proto:
 *
 *   Template = "/" Segments [":" LITERAL]     Segments = Segment {"/" Segment}
 *   Segment  = "*" | "**" | LITERAL | Variable
 *   Variable = "{" FieldPath ["=" Segments] "}"
 *
 * with the project's narrowing: "**" only as the last segment, no variable inside a variable.
 */
export type TemplateSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "rest" };

export interface TemplateVariable {
  /** Field path in proto names. */
  readonly path: readonly string[];
  /** First segment captured. */
  readonly start: number;
  /** Segments captured; the last one may be "rest". */
  readonly length: number;
  /** Captures more than one segment or a "**": "/" inside stays, so %2F must too. */
  readonly multi: boolean;
}

export interface PathTemplate {
  readonly source: string;
  readonly segments: readonly TemplateSegment[];
  /** Decoded; undefined for none. */
  readonly verb: string | undefined;
  readonly variables: readonly TemplateVariable[];
}

const FIELD_PATH = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
/** pchar of RFC 3986 without ":" and "*", which are operators here. */
const LITERAL = /^(?:[A-Za-z0-9\-._~!$&'()+,;=@]|%[0-9A-Fa-f]{2})+$/;

/**
 * @throws Error that quotes the template and says what is wrong with it
 */
export function parseTemplate(source: string): PathTemplate {
  const fail = (reason: string): never => {
    throw new Error(`path "${source}": ${reason}`);
  };
  if (!source.startsWith("/")) return fail(source === "" ? "is empty" : 'must start with "/"');
  const { path, verb } = splitVerb(source, fail);
  const segments: TemplateSegment[] = [];
  const variables: TemplateVariable[] = [];
  if (path === "/" && verb === undefined) return { source, segments, verb, variables };
  for (const part of splitSegments(path.slice(1), fail)) {
    if (!part.startsWith("{")) {
      segments.push(parseSegment(part, fail));
      continue;
    }
    if (!part.endsWith("}") || part.indexOf("}") !== part.length - 1)
      fail(`a variable must be a whole segment: "${part}"`);
    const equals = part.indexOf("=");
    const name = part.slice(1, equals < 0 ? -1 : equals);
    if (!FIELD_PATH.test(name)) fail(`"${name}" is no field path`);
    const inner = equals < 0 ? [{ kind: "one" } as const] : innerSegments(part.slice(equals + 1, -1), fail);
    const multi = inner.length > 1 || inner.some((segment) => segment.kind === "rest");
    variables.push({ path: name.split("."), start: segments.length, length: inner.length, multi });
    segments.push(...inner);
  }
  const rest = segments.findIndex((segment) => segment.kind === "rest");
  if (rest >= 0 && rest !== segments.length - 1) fail('"**" must be the last segment');
  refuseOverlap(variables, fail);
  return { source, segments, verb, variables };
}

type Fail = (reason: string) => never;

/** The verb is what follows the only colon outside of braces, in the last segment. */
function splitVerb(source: string, fail: Fail): { path: string; verb: string | undefined } {
  const colon = source.indexOf(":", source.lastIndexOf("}") + 1);
  if (colon < 0) return { path: source, verb: undefined };
  const verb = source.slice(colon + 1);
  if (source.slice(colon).includes("/")) fail('":" may only stand before the verb, at the end');
  if (!LITERAL.test(verb)) fail(`"${verb}" is no verb`);
  return { path: source.slice(0, colon), verb: decodeLiteral(verb, fail) };
}

/** Splits at "/" outside of braces. */
function splitSegments(text: string, fail: Fail): string[] {
  const parts: string[] = [];
  let start = 0;
  let open = false;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === "{") {
      if (open) fail("a variable must not contain another one");
      open = true;
    } else if (c === "}") {
      if (!open) fail('"}" without "{"');
      open = false;
    } else if (c === undefined || (c === "/" && !open)) {
      if (c === undefined && open) fail('"{" without "}"');
      if (i === start) fail(i === text.length ? "ends with an empty segment" : "has an empty segment");
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return parts;
}

function innerSegments(text: string, fail: Fail): TemplateSegment[] {
  return text
    .split("/")
    .map((part) => (part === "" ? fail("a variable has an empty segment") : parseSegment(part, fail)));
}

function parseSegment(part: string, fail: Fail): TemplateSegment {
  if (part === "*") return { kind: "one" };
  if (part === "**") return { kind: "rest" };
  if (!LITERAL.test(part))
    fail(`"${part}" is no literal; reserved characters must be percent-encoded, wildcards stand alone`);
  const text = decodeLiteral(part, fail);
  if (text === "." || text === "..") fail(`a "${text}" segment can never match`);
  return { kind: "literal", text };
}

function decodeLiteral(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail(`"${text}" is not UTF-8`);
  }
}

function refuseOverlap(variables: readonly TemplateVariable[], fail: Fail): void {
  variables.forEach((a, i) => {
    for (const b of variables.slice(i + 1)) {
      const shorter = Math.min(a.path.length, b.path.length);
      if (a.path.slice(0, shorter).join(".") === b.path.slice(0, shorter).join(".")) {
        fail(`variables "${a.path.join(".")}" and "${b.path.join(".")}" overlap`);
      }
    }
  });
}
