/**
 * Which way a message goes. A request schema has what the server refuses: rules, required fields, unknown
 * fields. A reply schema has what the server can send: fields with their default value are left out, so none is
 * required, and later versions may add fields.
 */
export type Direction = "request" | "reply";
