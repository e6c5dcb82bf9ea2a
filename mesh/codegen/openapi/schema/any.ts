import type { Schema } from "./json.ts";

/** google.protobuf.Any in ProtoJSON: the message's own JSON beside its type, or under "value" where that is no object. */
export const anySchema: Schema = {
  type: "object",
  title: "Any",
  description: "A message of any type: `@type` names it, the other members are its fields.",
  properties: {
    "@type": { type: "string", description: 'Type URL, such as "type.googleapis.com/google.rpc.ErrorInfo".' },
  },
  additionalProperties: true,
};
