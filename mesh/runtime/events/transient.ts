/** Tells failures of the database's moment from failures of the work. */
import { DriverException } from "@mikro-orm/core";

/**
 * Whether the database was away, or undid the work only because of what ran beside it. Such a failure says
 * nothing about the event, so it is not counted against it.
 *
 * Classes and codes: PostgreSQL, appendix A. 08 connection exception; 40 transaction rollback (serialization
 * failure, deadlock); 53 insufficient resources; 55P03 lock not available; 57P operator intervention;
 * 25P03 idle-in-transaction timeout.
 *
 * @param fromHandler - the handler threw it: then only the database's own errors count, because the handler
 *   may also call others, whose absence is a failure like any other.
 */
export function isTransient(error: unknown, fromHandler: boolean): boolean {
  if (!(error instanceof Error)) return false;
  if (fromHandler && !(error instanceof DriverException)) return isTransient(error.cause, fromHandler);
  const { code } = error as { code?: unknown };
  return (
    (typeof code === "string" && transientCode.test(code)) ||
    lostConnection.test(error.message) ||
    isTransient(error.cause, fromHandler)
  );
}

const transientCode =
  /^(08(?!P01)...|40...|53...|55P03|57P0.|25P03|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;
/** The driver reports these without a code. */
const lostConnection =
  /Connection terminated|timeout expired|timeout exceeded when trying to connect|not queryable/i;
