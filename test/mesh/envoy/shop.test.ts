/**
 * A purchase through the shop's own processes with a generated sidecar of a real Envoy around each: mutual TLS and
 * admission are Envoy's, and the processes believe the header in which it names the caller.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEdge } from "#edge/start-edge.ts";
import { freePort } from "#local/free-port.ts";
import { readConfig } from "#mesh/runtime/config.ts";
import { meshNameOf } from "#mesh/runtime/policy/method-policy.ts";
import type { ServiceDefinition } from "#mesh/runtime/service.ts";
import { startService } from "#mesh/runtime/start-service.ts";
import { compile, generate } from "../../../mesh/codegen/weft/testdata/compile.ts";
import { inventory } from "../../../services/inventory/service.ts";
import { order } from "../../../services/order/service.ts";
import { payment } from "../../../services/payment/service.ts";
import { product } from "../../../services/product/service.ts";
import { freshDatabase } from "../../system/fresh.ts";
import { type Served, serve } from "../../system/serve.ts";
import { makeAuthority } from "./certificates.ts";
import { findEnvoy } from "./find-envoy.ts";
import { call } from "./grpc-peers.ts";
import { type Sidecar, startSidecar } from "./sidecar.ts";

const envoy = findEnvoy();
const PERMISSION_DENIED = 7;
const services = [product, inventory, payment, order];

let folder: string;
let served: Served;
let edgeUrl: string;
let tlsOf: (name: string) => string;
const sidecars = new Map<string, Sidecar>();
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (!envoy) return;
  folder = mkdtempSync(join(tmpdir(), "weft-envoy-shop-"));
  served = await serve([]); // a bus and whoever issues tokens
  const make = makeAuthority(folder, "weft");
  const made = new Map<string, string>();
  tlsOf = (name) => made.get(name) ?? made.set(name, make(name)).get(name)!;
  const { file } = generate(compile("proto/shop"), "shop/", "target=envoy,namespace=weft");
  const files = new Map(file.map(({ name, content }) => [name, content]));
  const doorsOf = (callee: string) => [sidecars.get(callee)?.ports.get("inbound") ?? 1];
  const processPorts = new Map<string, number>();
  for (const name of [...services.map(nameOf), "edge"]) {
    processPorts.set(name, await freePort());
    const processPort = processPorts.get(name)!;
    const tls = tlsOf(name);
    sidecars.set(
      name,
      await startSidecar({ envoy, folder, files, name, tls, processPort, replicasOf: doorsOf }),
    );
  }
  for (const definition of services) {
    const config = {
      ...environment(nameOf(definition)),
      DATABASE_URL: await freshDatabase(nameOf(definition)),
    };
    const port = String(processPorts.get(nameOf(definition)));
    const running = await startService(definition, readConfig({ ...config, PORT: port }));
    stops.unshift(() => running.stop());
  }
  const edge = await startEdge(readConfig({ ...environment("edge"), WEFT_RETRIES: "mesh", PORT: "0" }));
  stops.unshift(() => edge.stop());
  edgeUrl = `http://127.0.0.1:${edge.port}`;
});

afterAll(async () => {
  if (!envoy) return;
  for (const stop of stops) await stop();
  await Promise.all([...sidecars.values()].map((sidecar) => sidecar.stop()));
  await served.stop();
  rmSync(folder, { recursive: true });
});

const nameOf = ({ contract }: ServiceDefinition) => meshNameOf(contract);

/** A process calls others by its sidecar only, and knows callers by what its sidecar says of them. */
function environment(name: string): NodeJS.ProcessEnv {
  const ways = [...sidecars.get(name)!.ports].filter(([listener]) => listener.startsWith("to-"));
  return {
    ...served.environment(name),
    WEFT_MESH: "istio",
    WEFT_TRUST_DOMAIN: "cluster.local",
    WEFT_NAMESPACE: "weft",
    WEFT_UPSTREAMS: ways.map(([way, port]) => `${way.slice(3)}=http://127.0.0.1:${port}`).join(","),
  };
}

async function rest(path: string, user: { id: string; roles: string[] }, body?: object) {
  const response = await fetch(edgeUrl + path, {
    method: body ? "POST" : "GET",
    headers: {
      authorization: `Bearer ${await served.tokenFor(user)}`,
      "content-type": "application/json",
      "idempotency-key": uuidv7(),
    },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

test.skipIf(!envoy)("an order is placed, reserved, charged and confirmed through sidecars", async () => {
  const admin = { id: uuidv7(), roles: ["admin"] };
  const price = { currencyCode: "USD", units: "12", nanos: 900_000_000 };
  const thing = { name: "House Espresso", description: "", category: "coffee", price };
  const created = await rest("/v1/products", admin, thing);
  expect(created).toMatchObject({ status: 201 });
  const productId = created.body.id!;
  expect(await rest(`/v1/inventory/${productId}:adjust`, admin, { delta: 5 })).toMatchObject({ status: 200 });

  const customer = { id: uuidv7(), roles: ["customer"] };
  const items = [{ productId, quantity: 2 }];
  const placed = await rest("/v1/orders", customer, { items, paymentToken: "tok_visa" });
  expect(placed).toMatchObject({ status: 201, body: { status: "PENDING" } });
  await expect
    .poll(async () => (await rest(`/v1/orders/${placed.body.id}`, customer)).body.status)
    .toBe("CONFIRMED");
  expect((await rest(`/v1/inventory/${productId}`, customer)).body).toMatchObject({ available: 3, sold: 2 });
  const received = await Promise.all(
    ["product", "inventory", "payment", "order"].map((name) =>
      sidecars.get(name)!.stat("http\\.inbound\\.downstream_rq_total"),
    ),
  );
  for (const count of received) expect(count).toBeGreaterThan(0);
});

test.skipIf(!envoy)("who may not call is refused by the sidecar of the callee", async () => {
  const charge = "/shop.payment.v1.PaymentService/Charge";
  const url = `https://127.0.0.1:${sidecars.get("payment")!.ports.get("inbound")}`;
  const as = (name: string) => {
    const pem = (file: string) => readFileSync(join(tlsOf(name), file));
    return call(url, charge, { tls: { ca: pem("ca.crt"), cert: pem("tls.crt"), key: pem("tls.key") } });
  };
  expect(await as("edge")).toBe(PERMISSION_DENIED);
  expect(await as("product")).toBe(PERMISSION_DENIED);
  expect(await as("order"), "refused by the process, for what is asked").not.toBe(PERMISSION_DENIED);
});
