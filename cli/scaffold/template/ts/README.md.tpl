# {{name}}

**Does.** Keeps {{words_plural}} of users: create, read, list page by page, delete. People see their own; an admin reads any. Counts, for each user, how many were ever created.

**Calls.** Nobody.

**Emits.** `{{Thing}}Created`, in the transaction that stores the {{words}}.

**Consumes.** Its own `{{Thing}}Created`, to count: a read model that follows a moment later. A redelivery counts once.

**Config.** Nothing of its own; see [the process environment](../../mesh/runtime/config.ts).

**Run.** `npm start` runs it with all others. Its tests: `npm test -- services/{{name}}`.

Read in this order: `rpc.ts` → `create-{{thing-}}.ts`, `list-{{things-}}.ts`, `delete-{{thing-}}.ts` → `{{thing-}}.ts` → `storage.ts` → `events.ts`, `count-created.ts` → `service.ts`.
