/** The languages that a new service may be written in, by what `--lang` calls them. */
import { WrongUsage } from "../run-command-line.ts";
import { go } from "./languages/go.ts";
import type { Language } from "./languages/language.ts";
import { python } from "./languages/python.ts";
import { typescript } from "./languages/typescript.ts";

const languages: Readonly<Record<string, Language>> = { ts: typescript, go, python };

/** As in "ts, go, python". */
export const languageNames = Object.keys(languages).join(", ");

/** @throws WrongUsage naming those there are */
export function languageCalled(name: string): Language {
  const language = Object.hasOwn(languages, name) ? languages[name] : undefined;
  if (!language) throw new WrongUsage(`--lang: one of ${languageNames}, not "${name}"`);
  return language;
}
