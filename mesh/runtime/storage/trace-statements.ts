/**
 * Spans of SQL statements by the semantic conventions for PostgreSQL (opentelemetry.io/docs/specs/semconv/db/
 * postgresql). They tell operation and table, never a text: statements may hold values.
 */
import type { Pool, PoolClient } from "pg";
import { currentContext } from "../telemetry/context.ts";
import { preciseNow, SpanKind, type SpanType } from "../telemetry/span.ts";
import { errorTypeOf, type LocalTrace } from "../telemetry/tracer.ts";
import { waitsForNext } from "./later-statements.ts";

/** Statements whose type is remembered; a text of a new kind makes room. */
const rememberedTexts = 1_000;

/** A statement that has not gone to the server yet. */
interface Waiting {
  readonly trace: LocalTrace;
  readonly type: SpanType;
  readonly parentSpanId: string;
  readonly startedAt: number;
}

/**
 * Adds a span for each statement to the trace of the work it is made for; statements outside of any have none.
 * Sees those whose answer is a promise, as MikroORM's are. One that waits for the next (later-statements.ts) has
 * its answer when that one has: both spans end together. What never left has no span.
 */
export function traceStatements(pool: Pool): void {
  const types = new Map<string, SpanType>();
  const typeOf = (text: string, client: PoolClient): SpanType => {
    const known = types.get(text);
    if (known) return known;
    const type = statementType(text, placeOf(client));
    if (types.size >= rememberedTexts) types.delete(types.keys().next().value as string);
    types.set(text, type);
    return type;
  };
  const waitingAt = new WeakMap<PoolClient, Waiting[]>();
  pool.on("release", (_error, client) => waitingAt.get(client)?.splice(0)); // of a transaction that was abandoned
  pool.on("connect", (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const waiting: Waiting[] = [];
    waitingAt.set(client, waiting);
    const traced = (...args: unknown[]) => {
      const context = currentContext();
      const text = textOf(args[0]);
      if (!context?.trace || text === undefined) return query(...args);
      const { trace, spanId: parentSpanId } = context;
      const startedAt = preciseNow();
      const answer = query(...args);
      if (!(answer instanceof Promise)) return answer;
      const type = typeOf(text, client);
      if (waitsForNext(args[0], args[1])) {
        waiting.push({ trace, type, parentSpanId, startedAt });
        return answer;
      }
      const sent = waiting.splice(0);
      if (neverLeaves(text, sent)) return answer;
      const endSent = () => {
        for (const { trace: of, type: what, ...span } of sent) of.add(what, { spanId: "", ...span });
      };
      answer.then(
        () => {
          endSent();
          trace.add(type, { spanId: "", parentSpanId, startedAt });
        },
        (error) => {
          endSent();
          const state = errorTypeOf(error);
          const more = { "db.response.status_code": state };
          trace.add(type, { spanId: "", parentSpanId, startedAt, error: state, more });
        },
      );
      return answer;
    };
    client.query = traced as typeof client.query;
  });
}

/** The end of a transaction that has not begun for the server: with its BEGIN all of it is forgotten. */
function neverLeaves(text: string, waiting: readonly Waiting[]): boolean {
  const begins = waiting[0]?.type.name === "BEGIN";
  return begins && (text === "rollback" || (text === "commit" && waiting.length === 1));
}

function textOf(query: unknown): string | undefined {
  if (typeof query === "string") return query;
  const { text } = (query ?? {}) as { text?: unknown };
  return typeof text === "string" ? text : undefined;
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
}

/** pg's types do not tell what its clients know. */
function placeOf(client: PoolClient): Place {
  return client as unknown as Place;
}

const writers: ReadonlySet<string> = new Set(["WITH", "INSERT", "UPDATE", "DELETE"]);
const readers: ReadonlySet<string> = new Set(["WITH", "SELECT"]);
const writes = /\b(insert(?= into)|update|delete(?= from))(?: into| from)?\s+"?(?:public"?\.)?"?(\w+)/i;
/** The first word after brackets and the comment of statements that wait (later-statements.ts). */
const first = /^(?:[\s(]|\/\*.*?\*\/)*(\w+)/;
const from = /\bfrom\s+"?(?:public"?\.)?"?(\w+)/i;

/** What a statement does, and to which table, as its text says; the first write of one with several parts. */
export function statementType(text: string, { host, port, database }: Place): SpanType {
  const word = (first.exec(text)?.[1] ?? "").toUpperCase();
  const [, write, written] = (writers.has(word) && writes.exec(text)) || [];
  const operation = write?.toUpperCase() ?? word;
  const table = written ?? (readers.has(word) ? from.exec(text)?.[1] : undefined);
  const summary = [operation, table].filter(Boolean).join(" ");
  return {
    name: summary || "statement",
    kind: SpanKind.client,
    attributes: {
      "db.system.name": "postgresql",
      "db.namespace": database,
      "db.operation.name": operation || undefined,
      "db.collection.name": table,
      "db.query.summary": summary || undefined,
      "server.address": host,
      "server.port": port,
    },
  };
}
