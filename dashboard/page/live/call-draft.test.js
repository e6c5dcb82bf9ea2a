import { expect, test } from "vitest";
import { CallDraft } from "./call-draft.js";

const lend = { name: "Lend", fullName: "library.v1.Shelf/Lend", idempotent: true };
const list = { name: "List", fullName: "library.v1.Shelf/List", idempotent: true };
const letters = { name: "List", fullName: "mesh.v1.Letters/List" };
const contract = {
  services: [{ name: "shelf", methods: [lend, list] }, { name: "desk" }, { name: "*", methods: [letters] }],
};
/** A schema is a reference, as the dashboard sends it. */
const schemaOf = (required) => ({
  $ref: "#/$defs/Request",
  $defs: { Request: { type: "object", required } },
});

test("a request that needs fields begins with an example, one that needs none with everything", () => {
  const example = '{"bookId": "1"}';
  const needs = { method: lend.fullName, example, requestSchema: schemaOf(["bookId"]) };
  expect(CallDraft.of(needs, contract).messages).toEqual([example]);
  const needsNothing = { method: list.fullName, example: '{"pageSize": 1}', requestSchema: schemaOf([]) };
  expect(CallDraft.of(needsNothing, contract).messages).toEqual(["{}"]);
});

test("what was written is there when one comes back", () => {
  const form = { method: lend.fullName, requestSchema: schemaOf(["bookId"]) };
  CallDraft.of(form, contract).messages = ["written"];
  expect(CallDraft.of(form, contract).messages).toEqual(["written"]);
});

test("a method that wants a user is called as the first account, unless somebody chose", () => {
  const draft = new CallDraft({ method: lend.fullName, needsUser: true }, contract);
  expect(draft.request(["ann", "ben"]).user).toBe("ann");
  draft.user = "";
  expect(draft.request(["ann", "ben"]).user).toBe("");
  expect(new CallDraft({ method: list.fullName }, contract).request(["ann"]).user).toBe("");
});

test("where every service has the method one of them is asked", () => {
  const draft = new CallDraft({ method: letters.fullName }, contract);
  expect(draft.services).toEqual(["shelf", "desk"]);
  expect(draft.request([]).service).toBe("shelf");
  expect(new CallDraft({ method: lend.fullName }, contract).request([]).service).toBe("");
});

test("a wait between messages is sent as a duration", () => {
  const draft = new CallDraft({ method: lend.fullName, kind: "CLIENT_STREAMING" }, contract);
  draft.intervalMs = 250;
  expect(draft.takesStream).toBe(true);
  expect(draft.request([]).interval).toBe("0.25s");
});
