import { stdSerializers } from "pino";
import { sqlStateOf } from "../storage/sql-state.ts";

/**
 * An error for the log. Texts of the database driver repeat statements with their values, which may be
 * anybody's data: of those only the state, the constraint and the place in the code are kept.
 */
export function errorForLog(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const state = sqlStateOf(error);
  if (state === undefined) {
    const cause = error.cause instanceof Error ? { cause: errorForLog(error.cause) } : {};
    const { type, message, stack } = stdSerializers.err(error);
    return {
      type,
      message: error.cause ? error.message : message,
      stack: error.cause ? error.stack : stack,
      ...cause,
    };
  }
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    message: databaseMessage(error, state),
    stack: frames.slice(0, 12).join("\n"),
  };
}

/** "NAME: TEXT" of an error, with the same care. */
export function messageForLog(error: Error): string {
  const state = sqlStateOf(error);
  return `${error.name}: ${state === undefined ? error.message : databaseMessage(error, state)}`;
}

function databaseMessage(error: Error, state: string): string {
  const constraint = detailOf(error, "constraint");
  return `SQLSTATE ${state}${constraint ? `, constraint ${constraint}` : ""}`;
}

function detailOf(error: unknown, name: string): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const value = (current as unknown as Record<string, unknown>)[name];
    if (typeof value === "string") return value;
  }
  return undefined;
}
