# {{name}}

**Does.** Keeps {{words_plural}} of users: create, read, list page by page, delete. People see their own; an admin reads any. Counts, for each user, how many were ever created.

**Calls.** Nobody.

**Emits.** `{{Thing}}Created`, in the transaction that stores the {{words}}.

**Consumes.** Its own `{{Thing}}Created`, to count: a read model that follows a moment later. A redelivery counts once.

**Config.** Nothing of its own; see [the process environment](../../mesh/go/config/config.go).

**Run.** `npm start` builds it and runs it with all others; it needs Go 1.26 or newer. Its rules: `go test ./services/{{name}}`. Through its contract, as a process with a database and a bus: `npm test -- services/{{name}}`, which says so where Go is missing.

Read in this order: `rpc.go` → `create.go`, `list.go`, `delete.go` → `rules.go` → `storage.go` → `count_created.go` → `main.go`. What every service needs is in [mesh/go](../../mesh/go/README.md).
