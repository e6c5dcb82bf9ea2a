/** Events that user consumes: translate, call. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { UserRegisteredSchema } from "#gen/shop/auth/v1/events_pb.ts";
import { type EventHandler, on } from "#mesh/runtime/events/consumers.ts";
import { createProfile } from "./create-profile.ts";

export const userEvents: readonly EventHandler[] = [
  on(UserRegisteredSchema, async ({ userId, email, displayName, roles, registeredAt }, { em, time }) => {
    const createdAt = registeredAt ? timestampDate(registeredAt) : time;
    await createProfile(em, { userId, email, displayName, roles, createdAt });
  }),
];
