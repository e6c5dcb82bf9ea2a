import re
from pathlib import Path

from email_service.storage import migrations

ROOT = Path(__file__).parents[4]


def plain(sql: str) -> str:
    return " ".join(sql.split())


def test_the_schema_is_that_of_the_typescript_service() -> None:
    """Each takes over the other's database, so their migrations have the same names and say the same."""
    shared = re.findall(
        r"^  `(create [^`]*)`", (ROOT / "mesh/runtime/events/migration.ts").read_text(), re.MULTILINE
    )
    theirs = []
    for file in sorted((ROOT / "services/email/migrations").glob("*.ts")):
        text = file.read_text()
        name = re.search(r"export class (\w+)", text)
        statements = re.findall(r"addSql\((?:`([^`]*)`|\"([^\"]*)\")\)", text)
        more = shared if "createEventTables" in text else []
        assert name
        theirs.append(
            (
                name[1],
                [plain(first or second) for first, second in statements] + [plain(each) for each in more],
            )
        )
    assert len(shared) == 8
    assert [(each.name, [plain(sql) for sql in each.statements]) for each in migrations] == theirs
