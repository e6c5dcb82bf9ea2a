import type { Case, Expectation } from "../case.ts";
import { PACKAGE } from "../schema.ts";

type Http = NonNullable<Case["http"]>;
type Options = Partial<Pick<Http, "headers" | "body">> & { config?: Case["config"] };

const JSON_HEADERS = { "content-type": "application/json" };

/** @param rpc `Service/Method` of transcode.proto */
export function request(
  id: string,
  rpc: string,
  method: string,
  url: Http["url"],
  expect: Expectation,
  options: Options = {},
): Case {
  const { headers = {}, body = null, config } = options;
  return {
    id: `own-${id}`,
    area: id.split("-")[0]!,
    class: "own",
    proto: { rpc: `${PACKAGE}.${rpc}`, rule: null },
    ...(config && { config }),
    http: { method, url, headers, body },
    expect,
  };
}

export const get = (
  id: string,
  rpc: string,
  url: Http["url"],
  expect: Expectation,
  options: Options = {},
): Case => request(id, rpc, "GET", url, expect, options);

/** A POST of JSON. */
export const post = (
  id: string,
  rpc: string,
  url: string,
  body: Http["body"],
  expect: Expectation,
  options: Options = {},
): Case => request(id, rpc, "POST", url, expect, { headers: JSON_HEADERS, ...options, body });

/** The upstream gets this message and the answer is 200. */
export const gets = (json: unknown): Expectation => ({ rpc_request_json: json, http_status: 200 });
export const refused: Expectation = { http_status: 400, error_code: "INVALID_ARGUMENT" };
export const notFound: Expectation = { http_status: 404, error_code: "NOT_FOUND" };

/** Rules for Paths.Unbound, which has none of its own; they must stop start-up unless `expect` says otherwise. */
export function rules(
  id: string,
  list: object[],
  expect: Expectation = { load_error: true },
  http: Http | null = null,
  rpc = "Paths/Unbound",
): Case {
  return {
    id: `own-${id}`,
    area: "template",
    class: "own",
    proto: { rpc: `${PACKAGE}.${rpc}`, rule: null },
    config: { http_rules: list.map((rule) => ({ selector: `${PACKAGE}.Paths.Unbound`, ...rule })) },
    http,
    expect,
  };
}
