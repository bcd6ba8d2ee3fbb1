"""What somebody writes by hand in the place of sipsync: read files and portals, compare, write, read back.

`python by_hand.py FOLDER PARALLEL`, with an interpreter that has PyYAML and fast_bitrix24; prints JSON. There is no
plan, no proof, and no care for what goes wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from fast_bitrix24 import BitrixAsync

FIELDS = {"title": "TITLE", "server": "SERVER", "login": "LOGIN"}


async def portal(document: dict[str, Any]) -> int:
    """Bring a portal to what its file says; how many lines that took."""
    client = BitrixAsync(os.environ[document["portal"]["webhook"].partition(":")[2]], verbose=False, ssl=False)
    read = {"lines": "voximplant.sip.get?SORT=CONFIG_ID&ORDER=ASC", "names": "voximplant.line.get"}
    answer = await client.call_batch({"halt": 0, "cmd": read})
    current = {int(row["CONFIG_ID"]): row for row in answer["lines"]}
    commands, changed = {}, {}
    for line in document["lines"].values():
        row = current[line["config_id"]]
        if new := {wire: line[name] for name, wire in FIELDS.items() if line[name] != row[wire]}:
            changed[line["config_id"]] = new
            params = {"CONFIG_ID": line["config_id"], "TYPE": row["TYPE"], **new}
            commands[f"u{line['config_id']}"] = f"voximplant.sip.update?{urlencode(params)}"
    if changed:
        commands["after"] = "voximplant.sip.get?" + urlencode(
            [("SORT", "CONFIG_ID"), ("ORDER", "ASC"), *((f"FILTER[CONFIG_ID][{n}]", i) for n, i in enumerate(changed))]
        )
        after = (await client.call_batch({"halt": 0, "cmd": commands}))["after"]
        for row in after:
            assert all(row[wire] == value for wire, value in changed[int(row["CONFIG_ID"])].items())
    return len(changed)


async def fleet(folder: str, parallel: int) -> int:
    """Bring all portals to what their files say."""
    gate = asyncio.Semaphore(parallel)

    async def one(path: Path) -> int:
        async with gate:
            return await portal(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))

    return sum(await asyncio.gather(*map(one, sorted(Path(folder).glob("*.yaml")))))


if __name__ == "__main__":
    began = time.perf_counter()
    changed = asyncio.run(fleet(sys.argv[1], int(sys.argv[2])))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "changed": changed,
                "cpu": used.ru_utime + used.ru_stime,
                "wall": time.perf_counter() - began,
                "memory": used.ru_maxrss * 1024,
            }
        )
    )
