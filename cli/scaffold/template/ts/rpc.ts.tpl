/** Handlers of {{Thing}}Service: translate, call, translate. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import { {{Thing}}Service } from "#gen/{{dir}}/{{file}}_pb.ts";
import { answerOnce } from "#mesh/runtime/idempotency/answer-once.ts";
import { requirePrincipal } from "#mesh/runtime/identity/principal.ts";
import { create{{Thing}} } from "./create-{{thing-}}.ts";
import { delete{{Thing}} } from "./delete-{{thing-}}.ts";
import { list{{Things}} } from "./list-{{things-}}.ts";
import { {{thing}}NotFound } from "./{{thing-}}.ts";
import { StatsRow, type {{Thing}}, {{Thing}}Row } from "./storage.ts";

export function {{thing}}Rpc(orm: MikroORM): ServiceImpl<typeof {{Thing}}Service> {
  return {
    create{{Thing}}: answerOnce(
      {{Thing}}Service.method.create{{Thing}},
      orm,
      async ({ title, text }, context, keepReply) => {
        const ownerId = requirePrincipal(context).id;
        await create{{Thing}}(orm, { ownerId, title, text }, (tx, created) =>
          keepReply(tx, {{thing}}Message(created)),
        );
      },
    ),
    async get{{Thing}}({ {{thing}}Id }) {
      const found = await orm.em.fork().findOne({{Thing}}Row, { id: {{thing}}Id });
      if (!found) throw {{thing}}NotFound();
      return {{thing}}Message(found);
    },
    async list{{Things}}({ pageSize, pageToken }, context) {
      const ownerId = requirePrincipal(context).id;
      const { {{things}}, nextPageToken } = await list{{Things}}(orm, { ownerId, pageSize, pageToken });
      return { {{things}}: {{things}}.map({{thing}}Message), nextPageToken };
    },
    async delete{{Thing}}({ {{thing}}Id }, context) {
      await delete{{Thing}}(orm, {{thing}}Id, requirePrincipal(context).id);
      return {};
    },
    async get{{Thing}}Stats(_, context) {
      const stats = await orm.em.fork().findOne(StatsRow, { ownerId: requirePrincipal(context).id });
      return { created: stats?.created ?? 0n };
    },
  };
}

function {{thing}}Message({ id, ownerId, title, text, createdAt }: {{Thing}}) {
  return { id, ownerId, title, text, createdAt: timestampFromDate(createdAt) };
}
