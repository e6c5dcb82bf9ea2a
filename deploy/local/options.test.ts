import { resolve } from "node:path";
import { expect, test } from "vitest";
import type { Implementation } from "./implementations/implementation.ts";
import { readOptions, WrongOption } from "./options.ts";
import type { System } from "./topology.ts";

const implementation: Implementation = { build: async () => {}, command: () => [] };
const service = (name: string, port: number, languages: string[] = []) => ({
  name,
  port,
  entry: "",
  database: true,
  implementations: Object.fromEntries(languages.map((language) => [language, implementation])),
});
const system: System = {
  services: [
    service("auth", 9001),
    service("inventory", 9004, ["go"]),
    service("order", 9005),
    service("payment", 9006),
    service("email", 9007, ["python"]),
    { name: "ratings", port: 9008, database: true, implementations: { go: implementation } },
  ],
  edge: { name: "edge", port: 8080, entry: "", database: false },
  singleEntry: "",
  servers: { postgres: 15432, nats: 14222, inbox: 11025 },
  trustDomain: "weft.local",
  tokens: { issuer: "", audience: "" },
  descriptors: "",
  welcome: () => "",
};

test("without arguments and environment the defaults hold", () => {
  expect(readOptions(system, [], {})).toMatchObject({
    single: false,
    dataDir: resolve(".weft"),
    portOffset: 0,
  });
});

test("databases and a bus of one's own are taken from the environment", () => {
  const env = {
    DATABASE_URL_ORDER: "postgres://me@db/orders",
    NATS_URL: "nats://bus:4222",
    DATABASE_URL_NOBODY: "x",
  };
  const { databaseUrls, natsUrl } = readOptions(system, ["--single", "--data", "/tmp/x"], env);
  expect([...databaseUrls]).toEqual([["order", "postgres://me@db/orders"]]);
  expect(natsUrl).toBe("nats://bus:4222");
});

test("replicas are counted by service", () => {
  const args = ["--replicas", "order=3", "--replicas=payment=2"];
  expect([...readOptions(system, args, {}).replicas]).toEqual([
    ["order", 3],
    ["payment", 2],
  ]);
});

test("languages are read from the command line, else from the environment; TypeScript is none", () => {
  const env = { WEFT_IMPL: "inventory=go,email=python" };
  expect([...readOptions(system, [], env).languages]).toEqual([
    ["inventory", "go"],
    ["email", "python"],
  ]);
  expect([...readOptions(system, ["--impl", "inventory=go"], env).languages]).toEqual([["inventory", "go"]]);
  expect(readOptions(system, ["--single", "--impl", "inventory=typescript"], env).languages.size).toBe(0);
});

test.for([
  {
    name: "replicas of nothing that exists",
    args: ["--replicas", "orders=3"],
    env: {},
    says: "--replicas orders=3: it must be NAME=N",
  },
  { name: "no replicas", args: ["--replicas", "order=0"], env: {}, says: "N from 1 to 10" },
  { name: "replicas of one process", args: ["--single", "--replicas", "order=2"], env: {}, says: "--single" },
  {
    name: "a language for nothing that exists",
    args: ["--impl", "stock=go"],
    env: {},
    says: "--impl stock=go: there is no service stock; there are auth, inventory",
  },
  {
    name: "a language that a service is not there in",
    args: ["--impl", "order=go"],
    env: {},
    says: "--impl order=go: order is there in typescript, not in go",
  },
  {
    name: "TypeScript for a service that is not there in it",
    args: ["--impl", "ratings=typescript"],
    env: {},
    says: "--impl ratings=typescript: ratings is there in go, not in typescript",
  },
  {
    name: "a language of nothing",
    args: [],
    env: { WEFT_IMPL: "go" },
    says: "WEFT_IMPL go: it must be NAME=",
  },
  {
    name: "two languages for a service",
    args: ["--impl", "inventory=go", "--impl", "inventory=typescript"],
    env: {},
    says: "inventory has a language already",
  },
  {
    name: "another language in the one process",
    args: ["--single", "--impl", "inventory=go"],
    env: {},
    says: "--single is one process of TypeScript services",
  },
  { name: "an unknown option", args: ["--sinlge"], env: {}, says: "Unknown option '--sinlge'" },
  { name: "an argument that is no option", args: ["stop"], env: {}, says: "Unexpected argument 'stop'" },
  {
    name: "an offset that is not a number",
    args: [],
    env: { WEFT_PORT_OFFSET: "many" },
    says: 'WEFT_PORT_OFFSET is "many"',
  },
  {
    name: "an offset beyond the last port",
    args: [],
    env: { WEFT_PORT_OFFSET: "60000" },
    says: "from 0 to 50103",
  },
  {
    name: "a database that is no URL",
    args: [],
    env: { DATABASE_URL_ORDER: "s3cret" },
    says: "DATABASE_URL_ORDER must be",
  },
  { name: "a bus of another kind", args: [], env: { NATS_URL: "amqp://s3cret" }, says: "NATS_URL must be" },
])("$name is refused by name, without repeating secrets", ({ args, env, says }) => {
  const read = () => readOptions(system, args, env);
  expect(read).toThrow(WrongOption);
  expect(read).toThrow(says);
  expect(read).not.toThrow("s3cret");
});
