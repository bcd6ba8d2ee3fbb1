"""What a host may look like, and which hosts are this machine."""

from __future__ import annotations

import ipaddress
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
