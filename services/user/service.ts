import { UserService } from "#gen/shop/user/v1/user_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { userEvents } from "./events.ts";
import { userRpc } from "./rpc.ts";
import { storage } from "./storage.ts";

export const user: ServiceDefinition = {
  contract: UserService,
  storage,
  emits: [],
  compose: ({ orm }) => ({
    routes: (router) => router.service(UserService, userRpc(orm)),
    consumers: userEvents,
  }),
};
