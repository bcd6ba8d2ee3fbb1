"""What a host may look like, and which hosts are this machine."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"
"""The pattern of a host's name or address, an IPv6 one in brackets."""
PORT: Final = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
"""The pattern of a port, 1 to 65535."""


def is_loopback(host: str) -> bool:
    """Whether a host, given without a port, is this machine: `localhost`, all of 127.0.0.0/8, and `[::1]`."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_ZONES = "by cn com com.br com.tr de es eu fr id in it jp kz pl ru ua vn"  # server source: zones of portals
CLOUD: Final = frozenset(f"bitrix24.{zone}" for zone in _ZONES.split())
"""A portal of the cloud is one label under one of these."""
TOKEN_HOSTS: Final = frozenset({"oauth.bitrix.info", "oauth.bitrix24.tech"})
"""Where applications renew tokens: as documented, and as the vendor's SDK does."""
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_vendors(host: str) -> bool:
    """Whether a host, given in lower case, is a portal of Bitrix24's cloud or one of its token endpoints."""
    label, _, domain = host.partition(".")
    return host in TOKEN_HOSTS or (domain in CLOUD and _LABEL.fullmatch(label) is not None)
