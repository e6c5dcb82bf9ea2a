/** Ends connections whose server has fallen silent: its machine or something on the way is gone, and nobody said so. */
import type { Pool, PoolClient } from "pg";

/** Longest limit that any statement may be given on the server, in milliseconds. */
export const longestStatementMs = 12_000;
/** Longest wait for an answer: the server has said by then that the statement took too long. */
const answerWithinMs = 15_000;

/**
 * Ends a connection whose statement has no answer after `limit` milliseconds. A server that lives answers sooner,
 * since it has limits for statements of its own. Without this, whoever waits for a server
 * that is gone waits for ever, and the pool's places go one by one.
 *
 * Statements are watched whose answer is a promise, as MikroORM's are; callbacks are not.
 */
export function endSilentConnections(pool: Pool, limit = answerWithinMs): void {
  pool.on("connect", (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const watched = (...args: unknown[]) => {
      const answer = query(...args);
      if (!(answer instanceof Promise)) return answer;
      // With a statement under way, end() does not wait for a good-bye.
      const timer = setTimeout(() => void client.end(), limit);
      const answered = () => clearTimeout(timer);
      answer.then(answered, answered);
      return answer;
    };
    client.query = watched as typeof client.query;
  });
}
