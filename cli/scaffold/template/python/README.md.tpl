# {{name}}

**Does.** Keeps {{words_plural}} of users: create, read, list page by page, delete. People see their own; an admin reads any. Counts, for each user, how many were ever created.

**Calls.** Nobody.

**Emits.** `{{Thing}}Created`, in the transaction that stores the {{words}}.

**Consumes.** Its own `{{Thing}}Created`, to count: a read model that follows a moment later. A redelivery counts once.

**Config.** Nothing of its own; see [the process environment](../../mesh/python/weft_runtime/config.py).

**Run.** `npm start` runs it with all others; it needs Python 3.11 or newer. Its rules: `npm run gen:python`, which fetches the tools, then `.weft/python/bin/python -m pytest -c mesh/python/pytest.ini services/{{name}}`. Through its contract, as a process with a database and a bus: `npm test -- services/{{name}}`, which says so where Python is missing.

Read in this order, in `{{file}}_service`: `rpc.py` → `create.py`, `list_page.py`, `delete.py` → `rules.py` → `storage.py` → `events.py`, `count_created.py` → `service.py`. What every service needs is in [mesh/python](../../mesh/python/README.md).
