/** Names of a new service and of the thing it keeps, in every spelling that files need. */
import { WrongUsage } from "../run-command-line.ts";

/** Spellings by the name that templates use for them: `{{Thing}}` becomes `spellings.Thing`. */
export type Spellings = Readonly<ReturnType<typeof spellingsFor>>;

/** Names of processes and workloads that are no services, and words that places for names cannot hold. */
const reserved = new Set(
  `edge edge-admin operator stranger single dashboard postgres nats inbox mail default template0 template1
   public`.split(/\s+/),
);
/** Packages that contracts name by their first part, which must not mean something nearer to them. */
const foreignPackages = new Set(["weft", "google", "buf", "grpc"]);
/** Reserved words of ECMAScript (ECMA-262, section 12.7.2), strict mode included. */
const keywords = new Set(
  `await break case catch class const continue debugger default delete do else enum export extends false finally
   for function if implements import in instanceof interface let new null package private protected public return
   static super switch this throw true try typeof var void while with yield arguments eval async of`.split(
    /\s+/,
  ),
);

/** A DNS label that is also a database role and part of a NATS subject; the rest of 63 is left to suffixes. */
const servicePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const longestService = 40;
const thingPattern = /^([A-Z][a-z0-9]*)+$/;
const longestThing = 40;

/**
 * @param service name in the mesh, such as "reviews" or "gift-cards"
 * @param thing what it keeps, singular, such as "Review"; undefined: the service's name in the singular
 * @param root first part of the package, such as "shop"
 * @param today for the name of the first migration
 * @throws WrongUsage naming what is wrong with which name
 */
export function spellingsFor(
  service: string,
  { thing, root, today }: { thing?: string; root: string; today: Date },
) {
  if (!servicePattern.test(service) || service.length > longestService)
    throw new WrongUsage(
      `NAME: "${service}" must be lower-case words joined by dashes, such as "reviews" or "gift-cards", at most ${longestService} characters`,
    );
  if (!/^[a-z][a-z0-9_]*$/.test(root))
    throw new WrongUsage(`--package: "${root}" must be one lower-case word, such as "shop"`);
  if (foreignPackages.has(root))
    throw new WrongUsage(`--package: "${root}" is somebody else's; take a word of your own, such as "app"`);
  if (foreignPackages.has(service) || service === root)
    throw new WrongUsage(
      `NAME: "${service}" is reserved: it would hide the package "${service}" in contracts`,
    );
  if (/-\d+$/.test(service))
    throw new WrongUsage(`NAME: "${service}" is reserved: replicas are called NAME-2 and so on`);
  if (reserved.has(service)) throw new WrongUsage(`NAME: "${service}" is reserved`);
  const words = service.split("-");
  const ident = camel(words);
  if (keywords.has(ident)) throw new WrongUsage(`NAME: "${service}" is a reserved word of TypeScript`);
  const singular = thing === undefined ? singularOf(words) : wordsOf(thing);
  const plural = [...singular.slice(0, -1), pluralOf(singular.at(-1) as string)];
  const Thing = pascal(singular);
  if (Thing in globalThis || keywords.has(camel(singular)) || ["Stats", "Storage"].includes(Thing))
    throw new WrongUsage(
      `--thing: "${Thing}" has a meaning in every program; take another, such as "My${Thing}"`,
    );
  const snake = words.join("_");
  const article = /^[aeiou]/.test(singular[0] as string) ? "an" : "a";
  return {
    name: service,
    NAME: snake.toUpperCase(),
    ident,
    package: `${root}.${snake}.v1`,
    dir: `${root}/${snake}/v1`,
    file: snake,
    Thing,
    thing: camel(singular),
    thing_: singular.join("_"),
    "thing-": singular.join("-"),
    THING: singular.join("_").toUpperCase(),
    Things: pascal(plural),
    things: camel(plural),
    things_: plural.join("_"),
    "things-": plural.join("-"),
    path: plural.join("-"),
    words: singular.join(" "),
    words_plural: plural.join(" "),
    a_words: `${article} ${singular.join(" ")}`,
    A_words: `${article === "an" ? "An" : "A"} ${singular.join(" ")}`,
    The_words: capital(plural.join(" ")),
    stamp: `${today.toISOString().slice(0, 10).replaceAll("-", "")}000000`,
  };
}

function wordsOf(thing: string): string[] {
  if (!thingPattern.test(thing) || thing.length > longestThing)
    throw new WrongUsage(
      `--thing: "${thing}" must be a singular in PascalCase, such as "Review" or "GiftCard", at most ${longestThing} characters`,
    );
  return (thing.match(/[A-Z][a-z0-9]*/g) as string[]).map((word) => word.toLowerCase());
}

function singularOf(words: string[]): string[] {
  const last = words.at(-1) as string;
  return [...words.slice(0, -1), singularWord(last)];
}

function singularWord(word: string): string {
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, "y");
  if (/(ss|x|z|ch|sh|(?<![aeiou])us)es$/.test(word)) return word.replace(/es$/, "");
  if (/[^siu]s$/.test(word) && word.length > 3) return word.replace(/s$/, "");
  return word;
}

function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return word.replace(/y$/, "ies");
  if (/(s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return `${word}s`;
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
const pascal = (words: readonly string[]) => words.map(capital).join("");
const camel = ([first = "", ...rest]: readonly string[]) => first + pascal(rest);
