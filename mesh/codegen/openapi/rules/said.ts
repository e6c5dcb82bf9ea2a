/**
 * The value of a rule if the contract says it. Rules are proto2 fields: unset ones read as their default, and
 * only an own property tells them apart.
 */
export function said<T extends object, K extends keyof T>(rules: T, name: K): T[K] | undefined {
  return Object.hasOwn(rules, name) ? rules[name] : undefined;
}
