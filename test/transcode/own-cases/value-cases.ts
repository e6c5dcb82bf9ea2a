import type { Case } from "../case.ts";
import { get, gets, post, refused } from "./build-case.ts";

/** Texts of a type and the ProtoJSON they mean, and texts that are none of it. */
interface Values {
  readonly fields: readonly string[];
  /** Text → canonical JSON; undefined where the field is left at its default. */
  readonly good: readonly (readonly [text: string, json: unknown])[];
  readonly bad: readonly string[];
  /** How a value stands in JSON: as a string, as it is, or both. */
  readonly json: "string" | "bare" | "both";
}

const noNumbers = [
  "",
  " 1",
  "1 ",
  "+1",
  "01",
  "-01",
  "0x1",
  "1_0",
  "1,0",
  "1e",
  "e1",
  "1.",
  ".5",
  "--1",
  "abc",
  "true",
  "1n",
  "１",
  "½",
];
const noIntegers = [...noNumbers, "1.5", "1e-1", "NaN", "Infinity", "-Infinity", "1e400"];

const TYPES: Record<string, Values> = {
  "signed-32": {
    fields: ["i32", "s32", "sfx32"],
    good: [
      ["0", undefined],
      ["-0", undefined],
      ["7", 7],
      ["-7", -7],
      ["1.0", 1],
      ["1e2", 100],
      ["1E+2", 100],
      ["120e-1", 12],
      ["2147483647", 2147483647],
      ["-2147483648", -2147483648],
      ["2147483647.000", 2147483647],
    ],
    bad: [...noIntegers, "2147483648", "-2147483649", "4294967295", "1e10", "9223372036854775808"],
    json: "both",
  },
  "unsigned-32": {
    fields: ["u32", "fx32"],
    good: [
      ["0", undefined],
      ["7", 7],
      ["4e0", 4],
      ["4294967295", 4294967295],
      ["2147483648", 2147483648],
    ],
    bad: [...noIntegers, "-1", "4294967296", "-2147483648"],
    json: "both",
  },
  "signed-64": {
    fields: ["i64", "s64", "sfx64"],
    good: [
      ["0", undefined],
      ["-1", "-1"],
      ["9007199254740993", "9007199254740993"],
      ["-9007199254740993", "-9007199254740993"],
      ["9223372036854775807", "9223372036854775807"],
      ["-9223372036854775808", "-9223372036854775808"],
      ["1e18", "1000000000000000000"],
      ["10.50e1", "105"],
    ],
    bad: [...noIntegers, "9223372036854775808", "-9223372036854775809", "9223372036854775807.5", "1e19"],
    json: "both",
  },
  "unsigned-64": {
    fields: ["u64", "fx64"],
    good: [
      ["0", undefined],
      ["9007199254740993", "9007199254740993"],
      ["18446744073709551615", "18446744073709551615"],
    ],
    bad: [...noIntegers, "-1", "18446744073709551616", "1e20"],
    json: "both",
  },
  float: {
    fields: ["f32"],
    good: [
      ["0", undefined],
      ["-0", -0],
      ["1.5", 1.5],
      ["-2e3", -2000],
      ["3.4028234e38", 3.4028234663852886e38],
      ["1e-60", undefined],
      ["0.1", 0.1],
    ],
    bad: [...noNumbers, "3.5e38", "-3.5e38", "1e39", "nan", "inf", "+Infinity", "Infinity ", "1f"],
    json: "both",
  },
  double: {
    fields: ["f64"],
    good: [
      ["0", undefined],
      ["-0", -0],
      ["1.7976931348623157e308", Number.MAX_VALUE],
      ["5e-324", 5e-324],
      ["0.1", 0.1],
      ["123456789012345678", 123456789012345680],
    ],
    bad: [...noNumbers, "1.8e308", "-1e309", "nan", "-NaN", "inf", "Inf", "infinity", "1d"],
    json: "both",
  },
  "not-finite": {
    fields: ["f32", "f64"],
    good: [
      ["NaN", "NaN"],
      ["Infinity", "Infinity"],
      ["-Infinity", "-Infinity"],
    ],
    bad: [],
    json: "string",
  },
  bool: {
    fields: ["flag"],
    good: [
      ["true", true],
      ["false", undefined],
    ],
    bad: ["1", "0", "t", "f", "True", "TRUE", "yes", "", " true", "true ", "null", "tru", "truee"],
    json: "bare",
  },
  enum: {
    fields: ["color"],
    good: [
      ["COLOR_RED", "COLOR_RED"],
      ["COLOR_NEGATIVE", "COLOR_NEGATIVE"],
      ["COLOR_UNSPECIFIED", undefined],
    ],
    bad: [
      "RED",
      "color_red",
      "",
      " COLOR_RED",
      "COLOR_RED ",
      "COLOR-RED",
      "COLOR_REDD",
      "constructor",
      "__proto__",
    ],
    json: "string",
  },
  "enum-number": {
    fields: ["color"],
    good: [
      ["0", undefined],
      ["1", "COLOR_RED"],
      ["-1", "COLOR_NEGATIVE"],
      ["77", 77],
      ["2147483647", 2147483647],
      ["-2147483648", -2147483648],
    ],
    bad: ["1.5", "2147483648", "-2147483649", "0x1", "1_0"],
    json: "bare",
  },
  bytes: {
    fields: ["blob"],
    good: [
      ["", undefined],
      ["YQ==", "YQ=="],
      ["YQ", "YQ=="],
      ["-_8", "+/8="],
      ["-_8=", "+/8="],
      ["+/8=", "+/8="],
      ["AAECAwQFBgcICQ==", "AAECAwQFBgcICQ=="],
    ],
    bad: ["a", "YQ=", "YQ===", "Y Q==", "YQ==\n", "*", "YQ==YQ==", "=", "====", "YWJj=", "é"],
    json: "string",
  },
  string: {
    fields: ["display_name"],
    good: [
      ["", undefined],
      ["null", "null"],
      [" a ", " a "],
      ["€😀", "€😀"],
      ["%2F", "%2F"],
      ["a\u0000b", "a\u0000b"],
      ["\u2028\u2029\ufeff", "\u2028\u2029\ufeff"],
      ['"\\', '"\\'],
    ],
    bad: [],
    json: "string",
  },
  timestamp: {
    fields: ["at"],
    good: [
      ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
      ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
      ["9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"],
      ["2024-02-29T12:00:00.5Z", "2024-02-29T12:00:00.500Z"],
      ["1969-12-31T23:59:59.000000001Z", "1969-12-31T23:59:59.000000001Z"],
      ["2020-01-01T00:00:00.0001Z", "2020-01-01T00:00:00.000100Z"],
      ["2020-01-01T01:30:00+01:30", "2020-01-01T00:00:00Z"],
      ["2019-12-31T23:00:00-01:00", "2020-01-01T00:00:00Z"],
      ["2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00Z"],
    ],
    bad: [
      "",
      "0",
      "2020-01-01",
      "2020-01-01T00:00:00",
      "2020-01-01T00:00Z",
      "2020-01-01 00:00:00Z",
      "2020-01-01t00:00:00Z",
      "2020-01-01T00:00:00z",
      "2020-01-01T00:00:00.Z",
      "2020-01-01T00:00:00.1234567891Z",
      "2020-01-01T00:00:00,5Z",
      "2020-01-01T00:00:00+0100",
      "2020-01-01T00:00:00+1:00",
      "2020-01-01T00:00:00+24:00",
      "2020-01-01T00:00:00+01:60",
      "2020-13-01T00:00:00Z",
      "2020-00-01T00:00:00Z",
      "2020-01-32T00:00:00Z",
      "2021-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2020-01-01T24:00:00Z",
      "2020-01-01T00:60:00Z",
      "2020-01-01T00:00:60Z",
      "0000-12-31T23:59:59Z",
      "10000-01-01T00:00:00Z",
      "0001-01-01T00:00:00+01:00",
      "9999-12-31T23:59:59-01:00",
      "-001-01-01T00:00:00Z",
      "20-01-01T00:00:00Z",
      "2020-1-1T00:00:00Z",
      " 2020-01-01T00:00:00Z",
      "2020-01-01T00:00:00Z ",
    ],
    json: "string",
  },
  duration: {
    fields: ["ttl"],
    good: [
      ["0s", "0s"],
      ["1s", "1s"],
      ["-1s", "-1s"],
      ["1.5s", "1.500s"],
      ["0.000001s", "0.000001s"],
      ["-0.5s", "-0.500s"],
      ["315576000000s", "315576000000s"],
      ["-315576000000s", "-315576000000s"],
      ["1.100000000s", "1.100s"],
    ],
    bad: [
      "",
      "s",
      "1",
      "1 s",
      " 1s",
      "1S",
      "1ms",
      "1m",
      "+1s",
      "--1s",
      "1.s",
      ".5s",
      "1.0000000001s",
      "1e3s",
      "0x1s",
      "315576000001s",
      "-315576000001s",
      "315576000000.1s",
      "NaNs",
      "1s1s",
    ],
    json: "string",
  },
  mask: {
    fields: ["mask"],
    good: [
      ["", ""],
      ["a", "a"],
      ["displayName", "displayName"],
      ["displayName,sub.longName", "displayName,sub.longName"],
      ["sub.deep.seenAt", "sub.deep.seenAt"],
    ],
    bad: [",", "a,", ",a", "a,,b", "a b", " a", "a.", ".a", "a..b", "1a", "*", "a-b", "A.b."],
    json: "string",
  },
  "wrapped-string": {
    fields: ["w_string"],
    good: [
      ["", ""],
      ["x", "x"],
      ['"x"', '"x"'],
    ],
    bad: [],
    json: "string",
  },
  "wrapped-int64": {
    fields: ["w_i64"],
    good: [
      ["0", "0"],
      ["9223372036854775807", "9223372036854775807"],
      ["-1", "-1"],
    ],
    bad: [...noIntegers, "9223372036854775808"],
    json: "both",
  },
  "wrapped-bool": {
    fields: ["w_bool"],
    good: [
      ["false", false],
      ["true", true],
    ],
    bad: ["", "0", "False"],
    json: "bare",
  },
  "wrapped-bytes": {
    fields: ["w_bytes"],
    good: [
      ["", ""],
      ["-_8", "+/8="],
    ],
    bad: ["a", "YQ=", "Y Q=="],
    json: "string",
  },
  "wrapped-double": {
    fields: ["w_f64"],
    good: [
      ["0", 0],
      ["-0", -0],
      ["1.5", 1.5],
    ],
    bad: [...noNumbers, "nan", "1e309"],
    json: "both",
  },
  optional: {
    fields: ["opt_i32"],
    good: [
      ["0", 0],
      ["5", 5],
    ],
    bad: [...noIntegers, "2147483648"],
    json: "both",
  },
  "oneof-member": {
    fields: ["choice_num"],
    good: [
      ["0", 0],
      ["5", 5],
    ],
    bad: [...noIntegers],
    json: "both",
  },
};

/** Fields with a route `/p1/typed/<field>/{…}`. */
const IN_PATH: Record<string, string> = { opt_i32: "opt", choice_num: "choice" };
for (const name of [
  "i32",
  "i64",
  "u32",
  "u64",
  "s64",
  "fx64",
  "f32",
  "f64",
  "flag",
  "blob",
  "color",
  "at",
  "w_i64",
])
  IN_PATH[name] = name;
/** Fields with a route `/b1/field/<field>` whose body is the value. */
const AS_BODY = ["display_name", "i64", "color", "blob", "at", "w_string", "opt_i32"];

const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const message = (field: string, json: unknown): object =>
  json === undefined ? {} : { [camel(field)]: json };

function casesOf(type: string, values: Values): Case[] {
  return values.fields.flatMap((field) => [
    ...values.good.flatMap(([text, json], i) =>
      positions(`${type}-${field}-good-${i}`, field, text, values.json, message(field, json)),
    ),
    ...values.bad.flatMap((text, i) =>
      positions(`${type}-${field}-bad-${i}`, field, text, values.json, undefined),
    ),
  ]);
}

/** The same value in the query, in the path, in a JSON body and as the body. */
function positions(
  id: string,
  field: string,
  text: string,
  form: Values["json"],
  expected: object | undefined,
): Case[] {
  const expect = expected ? gets(expected) : refused;
  const encoded = encodeURIComponent(text);
  const inPath = IN_PATH[field];
  const cases = [get(`value-${id}-query`, "Queries/Search", `/q1/all?${field}=${encoded}`, expect)];
  // An empty segment matches nothing.
  if (inPath && text !== "")
    cases.push(get(`value-${id}-path`, "Paths/Typed", `/p1/typed/${inPath}/${encoded}`, expect));
  const bodies: [string, string][] = [];
  if (form !== "bare") bodies.push(["string", JSON.stringify(text)]);
  if (form !== "string" && text.trim() !== "null") bodies.push(["bare", text]);
  for (const [how, json] of bodies) {
    // Space around a bare value, or none at all, is a matter of JSON and not of the value.
    if (how === "bare" && text.trim() !== text) continue;
    const reply = expected && { ...expect, response_body: expected };
    cases.push(
      post(
        `value-${id}-json-${how}`,
        "Responses/Whole",
        "/r1/whole",
        `{"${field}":${json}}`,
        reply ?? expect,
      ),
    );
    if (AS_BODY.includes(field) && json !== "")
      cases.push(post(`value-${id}-body-${how}`, "Bodies/Field", `/b1/field/${field}`, json, expect));
  }
  return cases;
}

/** Every scalar and text-like type in every place a value can stand. */
export const valueCases: Case[] = Object.entries(TYPES).flatMap(([type, values]) => casesOf(type, values));
