/** Calls of weft.dashboard.v1.DashboardService as Connect has them: JSON over HTTP, replies by the names of proto JSON. */
const base = "/weft.dashboard.v1.DashboardService/";

/** A call that failed, with a text for people. */
export class CallError extends Error {
  /** @param {string} code Connect's name of the status: "not_found" */
  constructor(code, message) {
    super(message || code);
    this.code = code;
  }
}

/** @throws CallError */
export async function call(method, request = {}, signal) {
  const response = await send(method, "application/json", JSON.stringify(request), signal);
  const reply = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new CallError(reply.code ?? "unknown", reply.message ?? `status ${response.status}`);
  return reply;
}

/**
 * Calls a method that answers with a stream: Connect's envelopes, a byte of flags and four of length before each.
 * @param {(message: object) => void} onMessage
 * @throws CallError
 */
export async function stream(method, request, onMessage, signal) {
  const response = await send(method, "application/connect+json", envelope(JSON.stringify(request)), signal);
  if (!response.ok) throw new CallError("unavailable", `status ${response.status}`);
  const reader = response.body.getReader();
  let bytes = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new CallError("unavailable", "the stream broke off");
    bytes = joined(bytes, value);
    for (let next = takeEnvelope(bytes); next; next = takeEnvelope(bytes)) {
      bytes = next.rest;
      const message = JSON.parse(next.text);
      if (!next.isEnd) onMessage(message);
      else if (message.error) throw new CallError(message.error.code, message.error.message);
      else return;
    }
  }
}

async function send(method, type, body, signal) {
  const headers = { "content-type": type, "connect-protocol-version": "1" };
  try {
    return await fetch(base + method, { method: "POST", headers, body, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new CallError("unavailable", "the dashboard does not answer: is the system still running?");
  }
}

function envelope(text) {
  const body = new TextEncoder().encode(text);
  const bytes = new Uint8Array(5 + body.length);
  new DataView(bytes.buffer).setUint32(1, body.length);
  bytes.set(body, 5);
  return bytes;
}

function takeEnvelope(bytes) {
  if (bytes.length < 5) return undefined;
  const end = 5 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  if (bytes.length < end) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(5, end));
  return { isEnd: (bytes[0] & 2) !== 0, text, rest: bytes.subarray(end) };
}

function joined(a, b) {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
