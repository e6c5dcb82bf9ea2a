/**
 * DESIGN
 *
 * A round trip to the database costs both sides more than most statements do. A statement whose answer nobody
 * reads therefore waits on its connection and travels with the next one, in one message: the server runs them in
 * their order and stops at the first that fails. BEGIN waits for the first statement, what was passed to runLater()
 * for the next one, COMMIT at the latest. Nothing can be committed without them.
 *
 * What is waiting has not reached the server. Its error is thrown by the statement that takes it along.
 */
import type { EntityManager } from "@mikro-orm/postgresql";
import type { Pool, PoolClient } from "pg";

/** First in the text of a statement that waits. Where nobody looks for it, it is a comment. */
const mark = "/* later */ ";

/** Whether a query will wait for the next one of its connection. */
export function waitsForNext(text: unknown, values: unknown): text is string {
  return isPlain(text, values) && (text === "begin" || text.startsWith(mark));
}

function isPlain(text: unknown, values: unknown): text is string {
  return typeof text === "string" && (values === undefined || (values as unknown[]).length === 0);
}

/** What a statement that waits answers. */
const nothing = { command: "", rowCount: 0, rows: [], fields: [], oid: 0 };

/**
 * Runs a statement of the running transaction with its next one, or with its COMMIT. Its error comes from there.
 *
 * @param tx - inside of a transaction
 */
export async function runLater(
  tx: EntityManager,
  sql: string,
  values: readonly unknown[] = [],
): Promise<void> {
  if (!tx.isInTransaction()) throw new Error("runLater needs a transaction");
  await tx.execute(mark + sql, [...values], "run");
}

/** For MikroORM's `driverOptions: { onPoolCreated }`: has the connections of a pool wait as described above. */
export function sendStatementsTogether(pool: Pool): void {
  const waiting = new WeakMap<PoolClient, string[]>();
  pool.on("release", (_error, client) => waiting.get(client)?.splice(0)); // of a transaction that was abandoned
  pool.on("connect", (client) => {
    const before: string[] = [];
    waiting.set(client, before);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const together = (...args: unknown[]): unknown => {
      const [text, values] = args;
      if (!isPlain(text, values)) {
        // Sent at once, but in its turn: the client sends one after the other.
        if (before.length === 0) return query(...args);
        const sent = query(before.splice(0).join(";\n")) as Promise<unknown>;
        const answer = query(...args);
        return answer instanceof Promise ? sent.then(() => answer) : answer;
      }
      if (waitsForNext(text, values)) {
        before.push(text);
        return Promise.resolve(nothing);
      }
      if (before.length === 0) return query(...args);
      const begun = before[0] !== "begin";
      if (text === "rollback") {
        before.length = 0;
        return begun ? query(text) : Promise.resolve(nothing);
      }
      if (text === "commit" && before.length === 1 && !begun) {
        before.length = 0;
        return Promise.resolve(nothing);
      }
      return (query([...before.splice(0), text].join(";\n")) as Promise<unknown>).then(last);
    };
    client.query = together as typeof client.query;
  });
}

/** The driver answers several statements with a list. */
function last(answer: unknown): unknown {
  return Array.isArray(answer) ? answer.at(-1) : answer;
}
