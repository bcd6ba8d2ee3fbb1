"""What two public clients of the REST API get from a portal; run with their own interpreter, prints JSON.

`python public_clients_script.py fast_bitrix24|b24pysdk WEBHOOK`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

COMMANDS = {
    "good": ("voximplant.sip.update", {"CONFIG_ID": 2, "TYPE": "office", "TITLE": "Второй & последний"}),
    "bad": ("voximplant.sip.update", {"CONFIG_ID": 9999, "TITLE": "x"}),
}
RENAME = {"CONFIG_ID": 1, "TYPE": "office", "TITLE": "Renamed"}


def failure(call: Callable[[], object]) -> str:
    """The text of the error that a call raises."""
    try:
        return f"no error: {call()}"
    except Exception as error:
        return f"{type(error).__name__}: {error} {getattr(error, 'json_response', '')}"


def with_fast_bitrix24(webhook: str) -> dict[str, Any]:
    """fast_bitrix24: everything goes in batches."""
    from urllib.parse import urlencode

    from fast_bitrix24 import Bitrix

    client = Bitrix(webhook, verbose=False, ssl=False)
    commands = {name: f"{method}?{urlencode(params)}" for name, (method, params) in COMMANDS.items()}
    return {
        "lines": [int(row["CONFIG_ID"]) for row in client.get_all("voximplant.sip.get")],
        "renamed": client.call("voximplant.sip.update", RENAME),
        "wrong": failure(lambda: client.call("voximplant.sip.update", COMMANDS["bad"][1])),
        "batch": failure(lambda: client.call_batch({"halt": 0, "cmd": commands})),
    }


def with_b24pysdk(webhook: str) -> dict[str, Any]:
    """b24pysdk: it speaks https only, which is taken out of its requests."""
    import requests
    from b24pysdk import BitrixWebhook

    send = requests.Session.request

    def without_tls(session: Any, method: str, url: str, **rest: Any) -> Any:
        return send(session, method, url.replace("https://", "http://", 1), **rest)

    requests.Session.request = without_tls  # type: ignore[assignment]  # only here
    host, _, path = webhook.removeprefix("http://").partition("/rest/")
    token = BitrixWebhook(domain=host, webhook_token=path.strip("/"))
    first = token.call_list("voximplant.sip.get", {"SORT": "CONFIG_ID", "ORDER": "ASC"})
    return {
        "lines": [int(row["CONFIG_ID"]) for row in first["result"]],
        "renamed": token.call_method("voximplant.sip.update", RENAME)["result"],
        "wrong": failure(lambda: token.call_method(*COMMANDS["bad"])),
        "batch": json.dumps(token.call_batch(COMMANDS)["result"]),
    }


if __name__ == "__main__":
    print(json.dumps({"fast_bitrix24": with_fast_bitrix24, "b24pysdk": with_b24pysdk}[sys.argv[1]](sys.argv[2])))
