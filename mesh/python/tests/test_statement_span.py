import pytest

from weft_runtime.storage.statement_span import Place, statement_span

PLACE = Place("db", 5432, "shelf")


@pytest.mark.parametrize(
    ("sql", "summary"),
    [
        ("select * from books where id = $1", "SELECT books"),
        ("\n  insert into books (id) values ($1)", "INSERT books"),
        ("update books set title = 'from x'", "UPDATE books"),
        ("with claim as (insert into inbox values ($1)) select fresh from claim", "INSERT inbox"),
        (
            "with mail as (update books set n = n + 1 where id in (select id from shelves)) select 1",
            "UPDATE books",
        ),
        ("BEGIN", "BEGIN"),
    ],
)
def test_a_statement_tells_operation_and_table_and_no_value(sql: str, summary: str) -> None:
    span = statement_span(sql, PLACE)
    assert (span.name, span.attributes["db.query.summary"], span.attributes["db.namespace"]) == (
        summary,
        summary,
        "shelf",
    )
