/**
 * The commits of an order without the mesh: the statements that a confirmed order costs in the databases of
 * order, inventory, payment, email and product, in the same transactions, by one script over plain connections,
 * one statement after the other. What it has not: calls, identities, policies, events on a bus, mail.
 *
 * Thirteen commits an order wait for the disk, and a part of two that take several orders in hand; the relay's
 * marks do not wait, as in the relay.
 */
import { randomUUID } from "node:crypto";
import pg from "pg";

/** Services with a part in an order. */
export const parts = ["order", "inventory", "payment", "email", "product"] as const;
export type PartName = (typeof parts)[number];

/** Orders and mails that a claim takes in hand, as measured in the services with 32 customers. */
const ordersInClaim = 2.5;
const mailsInClaim = 7;

/** As many as a service has. */
const poolSize = 8;

type Statement = [text: string, values: unknown[]];

export class BareCommits {
  readonly #pools: Record<PartName, pg.Pool>;
  readonly #productIds: readonly string[];

  /** @param urls - databases that the services' own migrations have been applied to */
  private constructor(urls: Record<PartName, string>, productIds: readonly string[]) {
    this.#pools = Object.fromEntries(
      parts.map((part) => [part, new pg.Pool({ connectionString: urls[part], max: poolSize })]),
    ) as Record<PartName, pg.Pool>;
    this.#productIds = productIds;
  }

  static async open(urls: Record<PartName, string>, products: number): Promise<BareCommits> {
    const ids = Array.from({ length: products }, () => randomUUID());
    const bare = new BareCommits(urls, ids);
    for (const id of ids)
      await bare.#pools.inventory.query(
        "insert into stock (product_id, available, reserved, sold, version, updated_at) values ($1, 1000000000, 0, 0, 1, now())",
        [id],
      );
    return bare;
  }

  /** Runs orders in so many strands until the time is over. @returns orders a second */
  async run(strands: number, seconds: number): Promise<number> {
    const began = performance.now();
    const end = began + seconds * 1_000;
    let orders = 0;
    const strand = async () => {
      while (performance.now() < end) {
        await this.#order(this.#productIds[orders % this.#productIds.length]!);
        orders += 1;
      }
    };
    await Promise.all(Array.from({ length: strands }, strand));
    return (orders * 1_000) / (performance.now() - began);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#pools).map((pool) => pool.end()));
  }

  async #order(productId: string): Promise<void> {
    const id = randomUUID();
    const customer = randomUUID();
    const items = JSON.stringify([
      { productId, productName: "Book", quantity: 1, unitPrice: { units: "3" } },
    ]);
    const [placed, confirmed, reserved] = [randomUUID(), randomUUID(), randomUUID()];
    const step = (name: string): Statement => [
      `insert into order_steps (order_id, step, outcome, slot, attempt, reason, started_at, ended_at)
       values ($1, $2, 'DONE', 0, 1, '', now(), now())`,
      [id, name],
    ];
    const move = (status: string, version: number): Statement => [
      `update orders set status = $2, version = version + 1, updated_at = now(), attempts = 0, payment_token = null,
         next_step_at = case when $2 = 'CONFIRMED' then null else now() end where id = $1 and version = $3`,
      [id, status, version],
    ];

    await this.#commit("order", [
      [
        "select fingerprint, reply from stored_replies where user_id = $1 and route = 'r' and key = $2",
        [customer, id],
      ],
    ]);
    await this.#commit("order", [
      [
        `insert into stored_replies (user_id, route, key, fingerprint, reply) values ($1, 'r', $2, '\\x00', $3)`,
        [customer, id, Buffer.alloc(300)],
      ],
      [
        `insert into orders (id, customer_id, status, items, total, payment_token, version, attempts, next_step_at,
           step_deadline, request_id, traceparent, created_at, updated_at)
         values ($1, $2, 'PENDING', $3, '{"units":"3"}', 'tok_visa', 1, 0, now(), now(), 'r', 't', now(), now())`,
        [id, customer, items],
      ],
      step("PLACE"),
      event(placed, "OrderPlaced", id),
    ]);
    if (Math.random() < 1 / ordersInClaim)
      await this.#commit("order", [
        [
          `update orders set next_step_at = now()
           where id in (select id from orders where id = $1 for update skip locked) returning *`,
          [id],
        ],
      ]);
    await this.#commit("inventory", [
      ["select * from reservations where order_id = $1 for update", [id]],
      ["select * from stock where product_id = $1 for update", [productId]],
      [
        "update stock set available = available - 1, reserved = reserved + 1, version = version + 1 where product_id = $1",
        [productId],
      ],
      [
        "insert into reservations (order_id, status, items, created_at, updated_at) values ($1, 'RESERVED', $2, now(), now())",
        [id, items],
      ],
      event(reserved, "StockChanged", productId),
    ]);
    await this.#commit("order", [move("RESERVED", 1), step("RESERVE")]);
    await this.#commit("payment", [
      ["select * from payments where order_id = $1 or command_id = $2 for update", [id, `${id}:charge`]],
      [
        `insert into payments (order_id, customer_id, command_id, status, currency_code, units, nanos, asked_at,
           next_check_at, created_at, updated_at)
         values ($1, $2, $3, 'PENDING', 'USD', 3, 0, now(), now(), now(), now())`,
        [id, customer, `${id}:charge`],
      ],
    ]);
    await this.#commit("payment", [
      [
        "insert into provider_charges (key, outcome, decline_code, sum) values ($1, 'charged', '', '3 USD')",
        [`${id}:charge`],
      ],
    ]);
    await this.#commit("payment", [
      ["select * from payments where order_id = $1 for update", [id]],
      [
        "update payments set status = 'CHARGED', next_check_at = null, updated_at = now() where order_id = $1",
        [id],
      ],
    ]);
    await this.#commit("order", [move("PAID", 2), step("CHARGE")]);
    await this.#commit("inventory", [
      ["select * from reservations where order_id = $1 for update", [id]],
      ["select * from stock where product_id = $1 for update", [productId]],
      [
        "update stock set reserved = reserved - 1, sold = sold + 1, version = version + 1 where product_id = $1",
        [productId],
      ],
      ["update reservations set status = 'COMMITTED', updated_at = now() where order_id = $1", [id]],
    ]);
    await this.#commit("order", [
      move("CONFIRMED", 3),
      step("COMMIT"),
      event(confirmed, "OrderConfirmed", id),
    ]);
    await this.#mark("order", [placed, confirmed]);
    await this.#mark("inventory", [reserved]);
    await this.#commit("product", [
      handled("product__stock_changed", reserved),
      [
        `insert into availability as known (product_id, available, version, changed_at) values ($1, 1, 1, now())
         on conflict (product_id) do update set available = excluded.available, version = known.version + 1`,
        [productId],
      ],
    ]);
    await this.#commit("email", [
      handled("email__order_placed", placed),
      ["insert into placed_orders (order_id, placed_at) values ($1, now())", [id]],
    ]);
    const mail = randomUUID();
    await this.#commit("email", [
      handled("email__order_confirmed", confirmed),
      [
        `insert into emails (id, event_id, kind, order_id, order_version, customer_id, "order", occurred_at)
         values ($1, $2, 'ORDER_CONFIRMATION', $3, 4, $4, $5, now())`,
        [mail, confirmed, id, customer, items],
      ],
    ]);
    if (Math.random() < 1 / mailsInClaim)
      await this.#commit("email", [
        ["update emails set attempts = attempts + 1, next_try_at = now() where id = $1 returning *", [mail]],
      ]);
    await this.#commit("email", [
      ["update emails set sent_at = now(), recipient = 'a@example.com', subject = 's' where id = $1", [mail]],
    ]);
  }

  async #mark(part: PartName, ids: string[]): Promise<void> {
    await this.#commit(part, [
      ["select set_config('synchronous_commit', 'off', true)", []],
      ["select * from outbox where id = any($1) for update skip locked", [ids]],
      ["update outbox set published_at = now(), stream_sequence = 1 where id = any($1)", [ids]],
    ]);
  }

  async #commit(part: PartName, statements: Statement[]): Promise<void> {
    const client = await this.#pools[part].connect();
    try {
      if (statements.length > 1) await client.query("begin");
      for (const [text, values] of statements) await client.query(text, values);
      if (statements.length > 1) await client.query("commit");
    } finally {
      client.release();
    }
  }
}

function event(id: string, type: string, key: string): Statement {
  return [
    `insert into outbox (id, type, subject, stream, key, version, payload, headers, partition, created_at)
     values ($1, $2, 'subject', 'STREAM', $3, 1, $4, '{}', 0, now())`,
    [id, type, key, Buffer.alloc(200)],
  ];
}

function handled(consumer: string, eventId: string): Statement {
  return ["insert into inbox (consumer, event_id) values ($1, $2)", [consumer, eventId]];
}
