import pytest
from weft_runtime.rpc.errors import ServiceError

from {{file}}_service.rules import title_of


@pytest.mark.parametrize(
    ("given", "kept"),
    [("as it is", "as it is"), ("  around ", "around"), ("in \t between", "in between")],
)
def test_a_title_is_kept_without_needless_spaces(given: str, kept: str) -> None:
    assert title_of(given) == kept


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_nothing_but_spaces_is_no_title(blank: str) -> None:
    with pytest.raises(ServiceError) as refused:
        title_of(blank)
    assert refused.value.reason == "TITLE_BLANK"
