import type { DescMessage, DescService, MessageInitShape } from "@bufbuild/protobuf";
import { Migration } from "@mikro-orm/migrations";
import type { MikroORM } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import { createEventTables } from "#mesh/runtime/events/migration.ts";
import { recordEvent } from "#mesh/runtime/events/outbox.ts";
import { createStoredReplies } from "#mesh/runtime/idempotency/stored-replies.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";

/** Stands in for a service that tells events, for tests of those who consume them. */
export interface Producer {
  /** For `serve`. It has an outbox and a relay, and implements no method. */
  readonly definition: ServiceDefinition;
  /** Records events in one transaction; they leave in this order. */
  record<S extends DescMessage>(schema: S, ...events: MessageInitShape<S>[]): Promise<void>;
}

/** @param emits every event that a test records through it */
export function producer(contract: DescService, emits: readonly DescMessage[]): Producer {
  let serving: MikroORM | undefined;
  return {
    definition: {
      contract,
      storage: { entities: [...eventEntities], migrations: [ProducerTables] },
      emits,
      compose: ({ orm }) => {
        serving = orm;
        return { routes: () => {} };
      },
    },
    async record(schema, ...events) {
      if (!serving) throw new Error("serve the producer's definition first");
      await inTransaction(serving, async (tx) => {
        for (const event of events) recordEvent(tx, schema, event);
      });
    },
  };
}

class ProducerTables extends Migration {
  override up(): void {
    for (const sql of [...createEventTables, ...createStoredReplies]) this.addSql(sql);
  }
}
