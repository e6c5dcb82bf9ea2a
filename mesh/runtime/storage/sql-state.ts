/** SQLSTATE of an error thrown by the driver, also when it is wrapped; undefined for other errors. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = (current as { code?: unknown }).code;
    if (typeof code === "string" && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) return code;
  }
  return undefined;
}

/** Classes and states that pass; 08P01 is a bad message, not a lost connection. Connection lost, shutdown, lock or statement timeout, too many clients. */
const passing = /^(08(?!P01)|53|57P0|40001|40P01|55P03|57014)/;
const connectionCodes: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);

/** Whether the database could not do its work now but may a moment later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state) return passing.test(state);
  for (let current = error; current instanceof Error; current = current.cause) {
    if (connectionCodes.has((current as { code?: string }).code ?? "")) return true;
    if (/Connection terminated|timeout exceeded when trying to connect/.test(current.message)) return true;
  }
  return false;
}
