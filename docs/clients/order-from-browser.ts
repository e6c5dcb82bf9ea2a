/**
 * The client of order.ts in a browser, over Connect's protocol, which is HTTP that every browser speaks. The edge
 * must allow the page's origin (WEFT_CORS_ORIGINS), unless it serves both.
 */
import { createConnectTransport } from "@connectrpc/connect-web";
import { order, refusal } from "./order.ts";

const edge = new URLSearchParams(location.search).get("edge") ?? "http://127.0.0.1:8080";
const form = document.querySelector("form") as HTMLFormElement;
const lines = document.querySelector("ol") as HTMLOListElement;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { email, password } = Object.fromEntries(new FormData(form)) as { email: string; password: string };
  void show(order(createConnectTransport({ baseUrl: edge }), email, password));
});

async function show(statuses: AsyncIterable<string>): Promise<void> {
  lines.replaceChildren();
  const add = (text: string) => lines.appendChild(document.createElement("li")).append(text);
  try {
    for await (const status of statuses) add(status);
  } catch (error) {
    add(refusal(error));
  }
}
