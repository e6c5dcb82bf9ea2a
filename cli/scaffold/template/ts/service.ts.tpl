import { {{Thing}}CreatedSchema } from "#gen/{{dir}}/events_pb.ts";
import { {{Thing}}Service } from "#gen/{{dir}}/{{file}}_pb.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { {{ident}}Events } from "./events.ts";
import { {{thing}}Rpc } from "./rpc.ts";
import { storage } from "./storage.ts";

export const {{ident}}: ServiceDefinition = {
  contract: {{Thing}}Service,
  storage,
  emits: [{{Thing}}CreatedSchema],
  compose: ({ orm }) => ({
    routes: (router) => router.service({{Thing}}Service, {{thing}}Rpc(orm)),
    consumers: {{ident}}Events,
  }),
};
