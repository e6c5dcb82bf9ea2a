import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** The heap of another Node process, asked through its inspector (Chrome DevTools Protocol). */
export class Heap {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /**
   * @param port of `--inspect`
   * @throws Error when nobody answers there within 10 seconds
   */
  static async of(port: number): Promise<Heap> {
    for (const until = Date.now() + 10_000; ; await sleep(100)) {
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
        const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[];
        const socket = new WebSocket(target!.webSocketDebuggerUrl);
        await once(socket, "open");
        return new Heap(socket);
      } catch (error) {
        if (Date.now() > until) throw error;
      }
    }
  }

  /** Bytes in use after a full collection. */
  async usedBytes(): Promise<number> {
    await this.#ask("HeapProfiler.collectGarbage");
    const { usedSize } = (await this.#ask("Runtime.getHeapUsage")) as { usedSize: number };
    return usedSize;
  }

  #ask(method: string): Promise<object> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const take = ({ data }: MessageEvent): void => {
        const reply = JSON.parse(String(data)) as { id?: number; result: object };
        if (reply.id !== id) return;
        this.#socket.removeEventListener("message", take);
        resolve(reply.result);
      };
      this.#socket.addEventListener("message", take);
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }

  close(): void {
    this.#socket.close();
  }
}
