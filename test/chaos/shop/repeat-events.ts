import { encodeCloudEvent } from "#mesh/runtime/events/cloud-events.ts";
import type { EventHeaders } from "#mesh/runtime/events/outbox.ts";
import type { Random } from "../harness/random.ts";
import { asService } from "./bus.ts";
import type { Databases } from "./databases.ts";

/** Events repeated at once: the latest of each service, and some from anywhere before. */
const latest = 100;
const earlier = 50;

/**
 * Puts events into their streams twice more, shuffled: what a stream keeps but its duplicate window has
 * forgotten comes in this way, however long ago it was.
 *
 * @returns how many messages were published
 */
export async function repeatEvents(
  bus: { dataDir: string; port: number },
  databases: Databases,
  services: readonly string[],
  random: Random,
): Promise<number> {
  let published = 0;
  for (const service of services) {
    const rows = await databases.rows<{
      id: string;
      type: string;
      subject: string;
      key: string;
      version: string | null;
      payload: Buffer;
      headers: EventHeaders;
      created_at: Date;
    }>(
      service,
      `(select * from outbox where published_at is not null order by position desc limit ${latest})
       union (select * from outbox where published_at is not null order by md5(id::text) limit ${earlier})`,
    );
    await asService({ ...bus, service }, async (connection) => {
      for (const row of random.shuffled([...rows, ...rows])) {
        const headers = encodeCloudEvent({
          id: row.id,
          source: `/services/${service}`,
          type: row.type,
          time: row.created_at,
          key: row.key,
          version: row.version === null ? undefined : BigInt(row.version),
          ...row.headers,
          data: row.payload,
        });
        headers.delete("Nats-Msg-Id"); // past the window the stream does not know the id any more
        connection.publish(row.subject, row.payload, { headers });
        published += 1;
      }
    });
  }
  return published;
}
