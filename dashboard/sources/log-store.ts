/** The newest log lines of all processes, found by position, trace and request. */
import { EventEmitter } from "node:events";
import { LogLevel } from "#gen/weft/dashboard/v1/logs_pb.ts";
import type { StoredLine } from "./log-line.ts";
import { Ring } from "./ring.ts";

/** Which lines. Empty fields: any. */
export interface LineFilter {
  readonly processes: readonly string[];
  readonly minLevel: LogLevel;
  readonly text: string;
  readonly traceId: string;
  readonly requestId: string;
}

export class LogStore {
  readonly #ring: Ring<StoredLine>;
  readonly #byTrace = new Map<string, number[]>();
  readonly #byRequest = new Map<string, number[]>();
  readonly #news = new EventEmitter().setMaxListeners(0);

  constructor(size: number) {
    this.#ring = new Ring<StoredLine>(size, (line) => {
      forget(this.#byTrace, line.traceId);
      forget(this.#byRequest, line.requestId);
    });
  }

  get range() {
    return this.#ring.range;
  }

  get last(): number {
    return this.#ring.last;
  }

  add(lines: readonly Omit<StoredLine, "position">[]): void {
    for (const line of lines) {
      const { position } = this.#ring.push((at) => ({ ...line, position: at }));
      remember(this.#byTrace, line.traceId, position);
      remember(this.#byRequest, line.requestId, position);
    }
    if (lines.length > 0) this.#news.emit("lines");
  }

  /** Calls `hear` after lines have come. @returns ends it */
  onLines(hear: () => void): () => void {
    this.#news.on("lines", hear);
    return () => void this.#news.off("lines", hear);
  }

  /**
   * The first `limit` lines after a position that match.
   * @returns them in order, and the position up to which all were looked at
   */
  forward(filter: LineFilter, after: number, limit: number): { lines: StoredLine[]; through: number } {
    const matches = matcher(filter);
    const lines: StoredLine[] = [];
    for (const line of this.#candidates(filter, after) ?? this.#ring.after(after)) {
      if (!matches(line)) continue;
      lines.push(line);
      if (lines.length === limit) return { lines, through: line.position };
    }
    return { lines, through: this.#ring.last };
  }

  /** The last `limit` lines before a position (0: the newest) that match, in order. */
  backward(filter: LineFilter, before: number, limit: number): { lines: StoredLine[]; through: number } {
    const matches = matcher(filter);
    const lines: StoredLine[] = [];
    const end = before > 0 ? before : this.#ring.last + 1;
    const known = this.#candidates(filter, 0)?.filter(({ position }) => position < end);
    for (const line of known?.toReversed() ?? this.#ring.before(end)) {
      if (!matches(line)) continue;
      lines.push(line);
      if (lines.length === limit) break;
    }
    return { lines: lines.reverse(), through: Math.min(end - 1, this.#ring.last) };
  }

  /** How many lines of a trace are kept. */
  countOfTrace(traceId: string): number {
    return this.#byTrace.get(traceId)?.length ?? 0;
  }

  /** Lines that an index gives; undefined where none helps. */
  #candidates({ traceId, requestId }: LineFilter, after: number): StoredLine[] | undefined {
    const positions = traceId ? (this.#byTrace.get(traceId) ?? []) : undefined;
    const found = positions ?? (requestId ? (this.#byRequest.get(requestId) ?? []) : undefined);
    return found?.filter((position) => position > after).map((position) => this.#ring.at(position)!);
  }
}

function matcher({
  processes,
  minLevel,
  text,
  traceId,
  requestId,
}: LineFilter): (line: StoredLine) => boolean {
  const wanted = processes.length > 0 ? new Set(processes) : undefined;
  // A regular expression finds text in any case without making a copy of each line.
  const pattern = text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i") : undefined;
  return (line) =>
    (!wanted || wanted.has(line.process) || wanted.has(line.service)) &&
    (minLevel === LogLevel.LOG_LEVEL_UNSPECIFIED || (line.level || LogLevel.INFO) >= minLevel) &&
    (!traceId || line.traceId === traceId) &&
    (!requestId || line.requestId === requestId) &&
    (!pattern || pattern.test(line.text));
}

function remember(index: Map<string, number[]>, id: string, position: number): void {
  if (id === "") return;
  const positions = index.get(id);
  if (positions) positions.push(position);
  else index.set(id, [position]);
}

/** Lines are dropped in the order in which they came. */
function forget(index: Map<string, number[]>, id: string): void {
  const positions = index.get(id);
  positions?.shift();
  if (positions?.length === 0) index.delete(id);
}
