import { inTransaction, on, recordEvent, type ServiceDefinition } from "@weft/runtime";
import { v7 as uuidv7 } from "uuid";
import { GreetedSchema, GreetingService } from "../gen/ts/app/greeting/v1/greeting_pb.ts";
import { GreetingRow, storage } from "./storage.ts";

export const greeting: ServiceDefinition = {
  contract: GreetingService,
  storage,
  emits: [GreetedSchema],
  compose: ({ orm }) => ({
    routes: (router) =>
      router.service(GreetingService, {
        greet: ({ name }) =>
          inTransaction(orm, async (tx) => {
            const said = { id: uuidv7(), text: `Hello ${name}`, heard: false };
            tx.create(GreetingRow, said);
            recordEvent(tx, GreetedSchema, { greetingId: said.id });
            return { id: said.id, text: said.text };
          }),
        countHeard: async () => ({ count: await orm.em.fork().count(GreetingRow, { heard: true }) }),
      }),
    consumers: [
      on(GreetedSchema, async ({ greetingId }, { em }) => {
        await em.nativeUpdate(GreetingRow, { id: greetingId }, { heard: true });
      }),
    ],
  }),
};
