import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { environmentsFor, inheritedEnvironment, settingsOfTheEdge } from "./environments.ts";
import { placesFor, type System } from "./topology.ts";

const library: System = {
  services: [
    { name: "books", port: 1001, entry: "books.ts", database: true },
    { name: "loans", port: 1002, entry: "loans.ts", database: true },
  ],
  edge: { name: "edge", port: 1000, entry: "edge.ts", database: false },
  singleEntry: "",
  servers: { postgres: 1003, nats: 1004, inbox: 1005 },
  trustDomain: "library",
  tokens: {
    issuer: "library",
    audience: "library",
    keys: { service: "books", url: ({ url }) => `${url("books")}/keys` },
  },
  descriptors: "",
  welcome: () => "",
};

function environmentOf(
  name: string,
  system: System,
  database = "postgres://loans:a%2Fb@127.0.0.1:1003/loans",
) {
  const identities = { filesOf: () => ({ certificate: "cert", key: "key" }), bundle: "bundle" } as never;
  const connections = {
    places: placesFor(system, 0),
    identities,
    databaseUrl: () => database,
    natsUrl: () => "nats://loans:secret@127.0.0.1:1004",
    root: "/",
  };
  return environmentsFor(system, connections).get(name)!;
}

test("processes reach each other where they listen", () => {
  expect(environmentOf("loans", library)).toMatchObject({
    PORT: "1002",
    DATABASE_URL: "postgres://loans:a%2Fb@127.0.0.1:1003/loans",
    NATS_URL: "nats://loans:secret@127.0.0.1:1004",
    WEFT_UPSTREAMS: "books=https://127.0.0.1:1001",
    WEFT_JWKS_URL: "https://127.0.0.1:1001/keys",
  });
});

test("with links, each process goes where its link leads, and listens where it did", () => {
  const system: System = {
    ...library,
    link: ({ from, port }) => (from === "loans" ? port + 1000 : port),
  };
  expect(environmentOf("loans", system)).toMatchObject({
    PORT: "1002",
    DATABASE_URL: "postgres://loans:a%2Fb@127.0.0.1:2003/loans",
    NATS_URL: "nats://loans:secret@127.0.0.1:2004",
    WEFT_UPSTREAMS: "books=https://127.0.0.1:2001",
    WEFT_JWKS_URL: "https://127.0.0.1:2001/keys",
  });
  expect(environmentOf("edge", system).WEFT_UPSTREAMS).toBe(
    "books=https://127.0.0.1:1001,loans=https://127.0.0.1:1002",
  );
});

test("somebody else's database is reached where it is", () => {
  const url = "postgres://reader@db.example/loans";
  expect(environmentOf("loans", { ...library, link: ({ port }) => port + 1000 }, url).DATABASE_URL).toBe(url);
});

test("settings of services and of the edge come from the reader, connections and npm's variables do not", () => {
  const given = { MAIL_FROM: "a@b.example", WEFT_CORS_ORIGINS: "https://a.example" };
  expect(inheritedEnvironment({ ...given, NATS_URL: "x", WEFT_SEED: "x", npm_lifecycle_event: "x" })).toEqual(
    given,
  );
});

test("what is passed on to the edge are settings that it has", () => {
  const reference = readFileSync(join(import.meta.dirname, "../../docs/reference/configuration.md"), "utf8");
  const edge = reference.slice(reference.indexOf("## The edge"), reference.indexOf("## The dashboard"));
  expect([...settingsOfTheEdge].filter((name) => !edge.includes(`| \`${name}\``))).toEqual([]);
});
