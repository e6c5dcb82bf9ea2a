/** A colour for each service, the same in every view. Names are always beside it: it helps, and says nothing alone. */
const colors = 8;
const given = new Map();

export function colorOf(service) {
  if (!given.has(service)) given.set(service, given.size % colors);
  return `var(--service-${given.get(service)})`;
}
