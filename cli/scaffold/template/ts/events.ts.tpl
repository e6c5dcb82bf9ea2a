/** Events that {{name}} consumes: decode, call a use case. */
import { {{Thing}}CreatedSchema } from "#gen/{{dir}}/events_pb.ts";
import { type EventHandler, on } from "#mesh/runtime/events/consumers.ts";
import { countCreated } from "./count-created.ts";

export const {{ident}}Events: readonly EventHandler[] = [
  on({{Thing}}CreatedSchema, ({ ownerId }, { em }) => countCreated(em, ownerId)),
];
