/** "GetJwks" as "Get jwks": the words of a name, for a heading. */
export function headingOf(name: string): string {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+/g) ?? [name];
  const [first = name, ...rest] = words;
  return [
    first,
    ...rest.map((word) => (word === word.toUpperCase() && word.length > 1 ? word : word.toLowerCase())),
  ].join(" ");
}
