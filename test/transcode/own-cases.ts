import type { Case } from "./case.ts";
import { bodyCases } from "./own-cases/body-cases.ts";
import { httpCases } from "./own-cases/http-cases.ts";
import { optionCases } from "./own-cases/option-cases.ts";
import { pathCases } from "./own-cases/path-cases.ts";
import { queryCases } from "./own-cases/query-cases.ts";
import { replyCases } from "./own-cases/reply-cases.ts";
import { ruleCases } from "./own-cases/rule-cases.ts";
import { valueCases } from "./own-cases/value-cases.ts";

/** The project's own cases, on top of those in cases.json. */
export function ownCases(): Case[] {
  return [
    ...pathCases,
    ...queryCases,
    ...bodyCases,
    ...httpCases,
    ...optionCases,
    ...replyCases,
    ...ruleCases,
    ...valueCases,
  ];
}
