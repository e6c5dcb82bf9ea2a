/** `weft emit`: publishes an event by hand. */
import { toJson } from "@bufbuild/protobuf";
import { PublishEventResponseSchema } from "#gen/weft/dashboard/v1/events_pb.ts";
import { dashboardClient, dashboardUsage, readArguments } from "./dashboard-client.ts";
import { type Command, WrongUsage } from "./run-command-line.ts";

export const emit: Command = {
  name: "emit",
  summary: "publishes an event of the contract, in development",
  usage: `usage: weft emit EVENT JSON
       weft emit EVENT --example

EVENT is a subject, or the full name of a message. Its readers take it for real.

  --example          print an event to start from, and publish nothing
  --id ID            id of the event; the same one twice is one event (default: a new one)
${dashboardUsage}`,
  async run(args, io) {
    const { values, positionals } = readArguments(args, {
      id: { type: "string", default: "" },
      example: { type: "boolean" },
    });
    const [event, json] = positionals;
    if (!event || (json === undefined && !values.example))
      throw new WrongUsage("name an event, and give it as JSON");
    const client = dashboardClient(values.data, io.env);
    if (values.example || json === undefined) {
      io.out((await client.getEventForm({ event })).example);
      return 0;
    }
    const published = await client.publishEvent({ event, json, id: values.id });
    if (values.json) io.out(JSON.stringify(toJson(PublishEventResponseSchema, published)));
    else
      io.out(
        published.duplicate
          ? `${published.id} was there already: nothing was published`
          : `${published.id} on ${published.subject}, ${published.stream} ${published.sequence}`,
      );
    return 0;
  },
};
