/** The machine lacks what a contestant needs; it is left out, and the table says so. */
export class Missing extends Error {}
