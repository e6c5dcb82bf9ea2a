import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";

const parse = (parameter: string) => parseOptions(parameter, ["one", "two"]);

test("targets go to the folders that are named, the rest has defaults", () => {
  expect(parse("target=one:a/b,target=two")).toEqual({
    targets: new Map([
      ["one", "a/b"],
      ["two", ""],
    ]),
    namespace: "default",
    trustDomain: "cluster.local",
    images: "localhost",
    port: 8080,
    tokens: undefined,
    stateless: new Set(),
  });
});

test("a URL keeps its equals signs", () => {
  const url = "http://keys.example/set?a=b&c=d";
  const { tokens } = parse(`target=one,token_issuer=i,token_audience=a,jwks_url=${url}`);
  expect(tokens?.jwksUrl).toBe(url);
});

test.each([
  ["", 'parameter "target" is missing; there are one, two'],
  ["target=three", 'parameter "target" is "three"; there are one, two'],
  ["target=one,target=one", 'parameter "target" names "one" twice'],
  ["target=one:../up", 'parameter "target" has the folder "../up"; it must be a path below the output'],
  ["target=one,colour=red", 'parameter "colour" is unknown'],
  ["target=one,namespace=a,namespace=b", 'parameter "namespace" is given twice'],
  ["target=one,namespace", 'parameter "namespace" has no value'],
  ["target=one,namespace=No", 'parameter "namespace" is "No"'],
  ["target=one,port=80", 'parameter "port" is "80"; it must be 1024 to 65534'],
  ["target=one,token_issuer=i", "belong together"],
  ["target=one,token_issuer=i,token_audience=a,jwks_url=keys", 'parameter "jwks_url" is "keys"'],
])("%s is refused", (parameter, message) => {
  expect(() => parse(parameter)).toThrow(message);
});
