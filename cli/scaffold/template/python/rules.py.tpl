"""Rules of {{a_words}}: no framework, no clock, no database."""

from weft_runtime.rpc.errors import Code, FieldViolation, ServiceError


def title_of(text: str) -> str:
    """
    A title as it is kept: no spaces around it, single ones within.

    :raises ServiceError: TITLE_BLANK when nothing is left
    """
    title = " ".join(text.split())
    if title:
        return title
    raise ServiceError(
        Code.INVALID_ARGUMENT,
        "TITLE_BLANK",
        "the title holds nothing but spaces",
        fields=[FieldViolation("title", "holds nothing but spaces")],
    )


def {{thing_}}_not_found() -> ServiceError:
    """There is none with this id, or it is somebody else's."""
    return ServiceError(Code.NOT_FOUND, "{{THING}}_NOT_FOUND", "no such {{words}}")
