/** Handlers of weft.events.v1.DeadLetterService: translate, call, translate. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { FilterQuery } from "@mikro-orm/core";
import type { MikroORM } from "@mikro-orm/postgresql";
import { z } from "zod";
import { DeadLetter_State, type DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { pageTokens } from "../paging/page-token.ts";
import { redactedJson } from "../policy/redact.ts";
import type { EventLog } from "./bus.ts";
import { type DeadLetter, DeadLetterRow } from "./dead-letters.ts";
import type { Reader } from "./handle-once.ts";
import { dropDeadLetter, eventOf, findDeadLetter, replayDeadLetter } from "./redrive.ts";

const defaultPageSize = 20;
/** Id of the last row of a page. */
const tokens = pageTokens(z.uuid());
const stateNames = ["retrying", "open", "replayed", "dropped"] as const;
const stateOf = (number: number) => stateNames[number - 1] ?? "open";
const numberOf = (state: DeadLetter["state"]) => (stateNames.indexOf(state) + 1) as DeadLetter_State;

/** @param readers consumers of the service whose dead letters these are */
export function deadLetterRpc(parts: {
  orm: MikroORM;
  log: EventLog;
  readers: readonly Reader[];
}): ServiceImpl<typeof DeadLetterService> {
  const { orm, readers } = parts;
  const whole = (letter: DeadLetter) => ({
    ...summaryOf(letter),
    ...payloadOf(readers, letter),
    headers: letter.headers,
    history: letter.history.map(({ at, cause, actor = "" }) => ({
      failedAt: timestampFromDate(new Date(at)),
      cause,
      actor,
    })),
  });
  return {
    async listDeadLetters({ states, consumer, pageSize, pageToken }) {
      const limit = pageSize || defaultPageSize;
      const wanted = (states.length > 0 ? states : [DeadLetter_State.OPEN]).map(stateOf);
      const filters = [consumer, ...wanted.toSorted()];
      const before = tokens.read(filters, pageToken);
      const where: FilterQuery<DeadLetter> = {
        state: { $in: wanted },
        ...(consumer && { consumer }),
        ...(before && { id: { $lt: before } }),
      };
      const rows = await orm.em
        .fork()
        .find(DeadLetterRow, where, { orderBy: { id: "desc" }, limit: limit + 1 });
      const last = rows[limit - 1];
      const more = rows.length > limit && last;
      return {
        deadLetters: rows.slice(0, limit).map(summaryOf),
        nextPageToken: more ? tokens.write(filters, last.id) : "",
      };
    },
    async getDeadLetter({ id }) {
      return whole(await findDeadLetter(orm, id));
    },
    async replayDeadLetter({ id, actor }) {
      return whole(await replayDeadLetter(parts, id, actor));
    },
    async dropDeadLetter({ id, actor }) {
      return whole(await dropDeadLetter(parts, id, actor));
    },
  };
}

function summaryOf(letter: DeadLetter) {
  const { id, consumer, eventId, type, key, cause, attempts, stream, streamSequence, payload } = letter;
  const at = (date: Date | null | undefined) => (date ? timestampFromDate(date) : undefined);
  return {
    ...{ id, consumer, eventId, type, key, cause, attempts, stream, streamSequence },
    state: numberOf(letter.state),
    firstFailedAt: at(letter.firstSeenAt),
    lastFailedAt: at(letter.lastFailedAt),
    deadAt: at(letter.deadAt),
    settledAt: at(letter.settledAt),
    settledBy: letter.settledBy ?? "",
    payloadBytes: payload.length,
  };
}

function payloadOf(readers: readonly Reader[], letter: DeadLetter) {
  const reader = readers.find(({ consumer }) => consumer === letter.consumer);
  if (!reader) return { payloadProblem: "this service has no such consumer any more" };
  try {
    return { payload: redactedJson(reader.contract.schema, eventOf(reader, letter).body) };
  } catch (error) {
    return { payloadProblem: (error as Error).message };
  }
}
