import re
from collections.abc import Mapping
from dataclasses import dataclass

from email_service.mail import Address, is_address
from weft_runtime.settings_reader import SettingsReader

_default_sender = Address("Weft Shop", "shop@example.com")


@dataclass(frozen=True, slots=True)
class Settings:
    """email's own settings."""

    #: smtp:// or smtps:// URL; may hold a password.
    smtp_url: str
    sender: Address


def read_settings(env: Mapping[str, str]) -> Settings:
    """
    Reads email's own settings.

    :raises ConfigError: naming every variable that is missing or malformed, never its value
    """
    read = SettingsReader(env)
    smtp_url = read.url("SMTP_URL", "smtp", "smtps")
    if not env.get("SMTP_URL"):
        read.problem("SMTP_URL", "is required")
    sender = read.parsed("MAIL_FROM", _sender, "must be NAME <ADDRESS> or ADDRESS", _default_sender)
    if env.get("MAIL_FROM") == "":
        read.problem("MAIL_FROM", "must be NAME <ADDRESS> or ADDRESS")
    read.finish()
    return Settings(smtp_url or "", sender)


def _sender(text: str) -> Address:
    match = re.fullmatch(r"\s*(?:([^<>\x00-\x1f\x7f-\x9f]*?)\s*<([^<>]+)>|(\S+))\s*", text)
    address = (match[2] or match[3]) if match else ""
    if not match or not is_address(address):
        raise ValueError
    return Address(match[1] or "", address)
