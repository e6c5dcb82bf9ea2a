import pytest

from weft_runtime.paging.page_token import read_page_token, write_page_token
from weft_runtime.rpc.errors import ServiceError

FILTERS = ["01900000-0000-7000-8000-0000000000aa"]
POSITION = [1764300000123, "01900000-0000-7000-8000-0000000000bb"]
#: Made by mesh/runtime/paging/page-token.ts.
TOKEN = "Ae8ngI1CmHgSKWPCTn1f6UJbMTc2NDMwMDAwMDEyMywiMDE5MDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMGJiIl0"
ESCAPED_TOKEN = "AXUGfJy_zzgapn3tlHLb4aAiMDE5MDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMGJiIg"


def test_a_token_leads_back_to_its_position() -> None:
    assert read_page_token(FILTERS, write_page_token(FILTERS, POSITION)) == POSITION
    assert read_page_token(FILTERS, "") is None


def test_a_token_of_the_typescript_service_is_one_of_this_service() -> None:
    assert write_page_token(FILTERS, POSITION) == TOKEN
    assert write_page_token(["", "open", 'ü"\\'], POSITION[1]) == ESCAPED_TOKEN


@pytest.mark.parametrize(
    "change", [lambda token: f"{token}A", lambda token: token[:-4] + "AAAA", lambda _: "!!!"]
)
def test_a_token_that_was_changed_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ServiceError) as refused:
        read_page_token(FILTERS, change(write_page_token(FILTERS, POSITION)))
    assert (refused.value.reason, refused.value.fields[0].field) == ("PAGE_TOKEN_INVALID", "page_token")


def test_a_token_is_good_for_its_own_filters_only() -> None:
    with pytest.raises(ServiceError, match="other filters"):
        read_page_token([""], write_page_token(FILTERS, POSITION))
