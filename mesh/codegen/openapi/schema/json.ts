/** A JSON value; undefined members vanish when the document is written. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** A schema object of OpenAPI 3.1, that is of JSON Schema 2020-12. */
export type Schema = JsonObject;
