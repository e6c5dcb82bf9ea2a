/**
 * What the policy of testdata/library/shelves means, told once. The drivers beside this file hold it against
 * generated Envoy sidecars and against the processes of the kit: the same answers from both.
 *
 * One thing is theirs by design. The kit retries at the outermost caller, the edge, and nowhere further in; sidecars
 * retry for every caller. Expectations of retries therefore call as the edge.
 */
import type { Answer, CalleeAnswer, Token } from "./enforcer.ts";

export const OK = 0;
export const DEADLINE_EXCEEDED = 4;
export const PERMISSION_DENIED = 7;
export const RESOURCE_EXHAUSTED = 8;
export const FAILED_PRECONDITION = 9;
export const UNIMPLEMENTED = 12;
export const UNAVAILABLE = 14;
export const UNAUTHENTICATED = 16;

export interface Expectation {
  readonly what: string;
  readonly caller: "edge" | "lending" | "stranger" | "nobody";
  /** Around the caller's own way out, straight at the callee's door. */
  readonly knocks?: boolean;
  readonly method: string;
  /** Deadline that the caller asks for. */
  readonly seconds?: number;
  /** What the user shows. Nothing unless told. */
  readonly token?: Token;
  /** Calls made at once. 1 unless told. */
  readonly calls?: number;
  /** What the callee answers. OK unless told. */
  readonly callee?: CalleeAnswer;
  /** gRPC statuses of the calls, sorted; "no connection" where there is no handshake. */
  readonly gives: readonly (number | "no connection")[];
  /** How often the callee hears of it. */
  readonly heard: number;
  /** Milliseconds: at least, and less than. */
  readonly takes?: readonly [number, number];
  /** What is otherwise by processes: a difference by design, with its reason beside the row. */
  readonly byProcesses?: { readonly gives: readonly number[]; readonly heard?: number };
}

const always = (answer: Answer) => () => answer;
const failing = (times: number, answer: Answer) => (call: number) => (call <= times ? answer : OK);

export const expectations: readonly Expectation[] = [
  // Who may call.
  {
    what: "the gateway may call what is open to it",
    caller: "edge",
    method: "AddBook",
    gives: [OK],
    heard: 1,
  },
  {
    what: "a service may call what lists it",
    caller: "lending",
    method: "ReserveBook",
    gives: [OK],
    heard: 1,
  },
  {
    what: "two callers of one method both pass",
    caller: "lending",
    method: "FindBook",
    gives: [OK],
    heard: 1,
  },
  {
    what: "what is not open to the gateway is not there for it",
    caller: "edge",
    method: "ReserveBook",
    gives: [UNIMPLEMENTED],
    heard: 0,
  },
  {
    what: "without a certificate there is no connection",
    caller: "nobody",
    knocks: true,
    method: "FindBook",
    gives: ["no connection"],
    // The port of a process also serves probes and what is open to anybody, so it decides call by call.
    byProcesses: { gives: [UNAUTHENTICATED] },
    heard: 0,
  },
  {
    what: "a service that is not on the list is refused at the callee's door",
    caller: "lending",
    knocks: true,
    method: "AddBook",
    gives: [PERMISSION_DENIED],
    heard: 0,
  },
  {
    what: "a workload that no list names is refused",
    caller: "stranger",
    knocks: true,
    method: "FindBook",
    gives: [PERMISSION_DENIED],
    heard: 0,
  },
  {
    what: "what is for the service itself is refused to all others",
    caller: "edge",
    knocks: true,
    method: "SortBooks",
    gives: [PERMISSION_DENIED],
    heard: 0,
  },
  {
    what: "the right proof passes at the same door",
    caller: "lending",
    knocks: true,
    method: "FindBook",
    gives: [OK],
    heard: 1,
  },

  // For which user.
  ...(["edge", "edge, at the door"] as const).flatMap((way) => {
    const asked = { caller: "edge", ...(way === "edge" ? {} : { knocks: true }) } as const;
    const refused = (token: Token): Expectation => ({
      what: `${token} token is none: ${way}`,
      ...asked,
      method: "ListLoans",
      token,
      gives: [UNAUTHENTICATED],
      heard: 0,
    });
    return [
      {
        what: `whoever is not signed in is asked to sign in: ${way}`,
        ...asked,
        method: "ListLoans",
        gives: [UNAUTHENTICATED],
        heard: 0,
      },
      {
        what: `whoever is signed in passes: ${way}`,
        ...asked,
        method: "ListLoans",
        token: "a reader's",
        gives: [OK],
        heard: 1,
      },
      refused("an expired"),
      refused("another issuer's"),
      // Envoy knows whose it is, and that it is not for us.
      {
        ...refused("another audience's"),
        gives: [PERMISSION_DENIED],
        byProcesses: { gives: [UNAUTHENTICATED] },
      },
      refused("a forged"),
      {
        what: `a user without the role is refused: ${way}`,
        ...asked,
        method: "LockShelf",
        token: "a reader's",
        gives: [PERMISSION_DENIED],
        heard: 0,
      },
      {
        what: `a user with one of the roles passes: ${way}`,
        ...asked,
        method: "LockShelf",
        token: "a keeper's",
        gives: [OK],
        heard: 1,
      },
      {
        what: `a role in a forged token is none: ${way}`,
        ...asked,
        method: "LockShelf",
        token: "a forged",
        gives: [UNAUTHENTICATED],
        heard: 0,
      },
      {
        what: `where no user is asked for, an expired token does no harm: ${way}`,
        ...asked,
        method: "AddBook",
        token: "an expired",
        gives: [OK],
        heard: 1,
      },
    ] satisfies Expectation[];
  }),
  {
    what: "a user's token passes on from a service",
    caller: "lending",
    method: "LockShelf",
    token: "a keeper's",
    gives: [OK],
    heard: 1,
  },
  {
    what: "the right user does not open what the calling service may not call",
    caller: "lending",
    knocks: true,
    method: "ListLoans",
    token: "a reader's",
    gives: [PERMISSION_DENIED],
    heard: 0,
  },
  {
    what: "who calls is asked before who signed in",
    caller: "stranger",
    knocks: true,
    method: "ListLoans",
    gives: [PERMISSION_DENIED],
    heard: 0,
  },
  {
    what: "another type's token, such as that of a sign-in, is none",
    caller: "edge",
    knocks: true,
    method: "ListLoans",
    token: "another type's",
    gives: [OK],
    heard: 1,
    // Envoy does not look at a token's type; the process behind it does.
    byProcesses: { gives: [UNAUTHENTICATED], heard: 0 },
  },

  // How often.
  {
    what: "an idempotent call is tried as often as its method says",
    caller: "edge",
    method: "FindBook",
    callee: always(UNAVAILABLE),
    gives: [UNAVAILABLE],
    heard: 4,
  },
  {
    what: "an idempotent call is tried as often as its service says where the method says nothing",
    caller: "edge",
    method: "CountBooks",
    callee: always(UNAVAILABLE),
    gives: [UNAVAILABLE],
    heard: 3,
  },
  {
    what: "tries end with the first success",
    caller: "edge",
    method: "FindBook",
    callee: failing(2, UNAVAILABLE),
    gives: [OK],
    heard: 3,
  },
  {
    what: "every code of the list is tried again",
    caller: "edge",
    method: "FindBook",
    callee: failing(1, RESOURCE_EXHAUSTED),
    gives: [OK],
    heard: 2,
  },
  {
    what: "a code that is not on the list is an answer",
    caller: "edge",
    method: "FindBook",
    callee: always(FAILED_PRECONDITION),
    gives: [FAILED_PRECONDITION],
    heard: 1,
  },
  {
    what: "a code on another method's list is an answer too",
    caller: "edge",
    method: "CountBooks",
    callee: always(RESOURCE_EXHAUSTED),
    gives: [RESOURCE_EXHAUSTED],
    heard: 1,
  },
  {
    what: "a call that is not idempotent is never tried again",
    caller: "edge",
    method: "AddBook",
    callee: always(UNAVAILABLE),
    gives: [UNAVAILABLE],
    heard: 1,
  },
  {
    what: "a try that takes too long is given up for another one",
    caller: "edge",
    method: "MeasureShelf",
    callee: failing(1, "silent"),
    gives: [OK],
    heard: 2,
    takes: [990, 20_000],
  },
  {
    what: "a last try that takes too long ends the call",
    caller: "edge",
    method: "MeasureShelf",
    callee: always("silent"),
    gives: [DEADLINE_EXCEEDED],
    heard: 2,
    takes: [1_980, 19_900],
    // To processes it is an upstream that is away, also the last time. Envoy marks it like a call that ran out of time.
    byProcesses: { gives: [UNAVAILABLE] },
  },

  // How long.
  {
    what: "a silent callee is given up at the method's time",
    caller: "edge",
    method: "WeighShelf",
    callee: always("silent"),
    gives: [DEADLINE_EXCEEDED],
    heard: 1,
    takes: [1_950, 30_000],
  },
  {
    what: "a deadline longer than the method's time is cut",
    caller: "edge",
    method: "WeighShelf",
    seconds: 60,
    callee: always("silent"),
    gives: [DEADLINE_EXCEEDED],
    heard: 1,
    takes: [1_950, 30_000],
  },
  {
    what: "a stream ends with the life that its method gives it",
    caller: "edge",
    method: "WatchShelf",
    callee: always("silent"),
    gives: [DEADLINE_EXCEEDED],
    heard: 1,
    takes: [1_950, 30_000],
  },

  // How many.
  {
    what: "of five calls at once two go on where two may, the others fail at once",
    caller: "edge",
    method: "BorrowLadder",
    calls: 5,
    callee: always("silent"),
    gives: [DEADLINE_EXCEEDED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, RESOURCE_EXHAUSTED, RESOURCE_EXHAUSTED],
    // To the gateway it is the same as too much load, after which clients come again.
    byProcesses: {
      gives: [DEADLINE_EXCEEDED, DEADLINE_EXCEEDED, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE],
    },
    heard: 2,
  },
];
