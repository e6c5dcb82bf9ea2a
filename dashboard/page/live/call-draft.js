import { resolve } from "../views/schema-check.js";

/** A call that is being written. What was written lately is still there when one comes back to its method. */
const drafts = new Map();

export class CallDraft {
  messages;
  via;
  /** Undefined: nobody chose yet. */
  user;
  /** Of a contract that every service serves: which to ask. */
  service;
  intervalMs = 0;

  /** @param {object} form weft.dashboard.v1.MethodForm @param {object} contract weft.dashboard.v1.Contract */
  static of(form, contract) {
    const draft = drafts.get(form.method) ?? new CallDraft(form, contract);
    drafts.set(form.method, draft);
    return draft;
  }

  constructor(form, { services }) {
    this.form = form;
    this.via = form.vias?.[0] ?? "EDGE";
    const owner = services.find(({ methods = [] }) =>
      methods.some(({ fullName }) => fullName === form.method),
    );
    /** Names of services of which one must be asked; empty where the contract says which. */
    this.services =
      owner?.name === "*" ? services.map(({ name }) => name).filter((name) => name !== "*") : [];
    this.service = this.services[0] ?? "";
    const method = owner?.methods.find(({ fullName }) => fullName === form.method);
    // What only looks, and needs nothing, begins with everything: an example would name things that are not there.
    const schema = form.requestSchema ?? {};
    const needsNothing = !resolve(schema, schema).required?.length;
    this.messages = [method?.idempotent && needsNothing ? "{}" : form.example || "{}"];
  }

  get takesStream() {
    return ["CLIENT_STREAMING", "BIDI_STREAMING"].includes(this.form.kind);
  }

  /** Unless somebody chose: the first account where the method wants one. @param {string[]} users */
  userOf(users) {
    return this.user ?? (this.form.needsUser ? (users[0] ?? "") : "");
  }

  /** weft.dashboard.v1.CallRequest */
  request(users) {
    return {
      method: this.form.method,
      messages: this.messages,
      via: this.via,
      user: this.userOf(users),
      service: this.service,
      ...(this.intervalMs > 0 && { interval: `${this.intervalMs / 1000}s` }),
    };
  }
}
