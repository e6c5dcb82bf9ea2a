/** Tells failures of the database's moment from failures of the work. */

/**
 * Whether the database was away, or undid the work only because of what ran beside it. Such a failure says
 * nothing about the event, so it is not counted against it.
 *
 * Classes and codes: PostgreSQL, appendix A. 08 connection exception; 40 transaction rollback (serialization
 * failure, deadlock); 53 insufficient resources; 55P03 lock not available; 57P operator intervention;
 * 25P03 idle-in-transaction timeout.
 */
export function isTransient(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string" && transientCode.test(code)) return true;
    if (lostConnection.test(at.message)) return true;
  }
  return false;
}

const transientCode =
  /^(08...|40...|53...|55P03|57P0.|25P03|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** The driver reports these without a code. */
const lostConnection = /Connection terminated|connection timeout|Client has encountered a connection error/i;
