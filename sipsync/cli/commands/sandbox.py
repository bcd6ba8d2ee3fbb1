"""`sipsync sandbox`: an emulated portal over HTTP, or in a file, that obeys the server's rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click

from sipsync.cli.group import Command, Group, option
from sipsync.cli.session import Session
from sipsync.cli.types import Seconds
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, Exit, SipsyncError


class Bucket(click.ParamType[tuple[int, float] | None]):
    """The rate limit: `50/2` for 50 requests at once and 2 a second after that, or `off`."""

    name = "burst/rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, float] | None:
        """Burst and rate, None for no limit, or what is wrong with the text."""
        if value == "off":
            return None
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6}(?:\.\d{1,6})?)", value)
        if not found or not int(found[1]) or not float(found[2]):
            self.fail(f"{value!r} is not BURST/RATE, such as 50/2, nor off", param, ctx)
        return int(found[1]), float(found[2])


_db = option(
    "--db",
    type=click.Path(dir_okay=False),
    required=True,
    metavar="FILE",
    help="The emulated portal's file, as in `portal: {sandbox: FILE}`.",
)
_portal = option(
    "--portal", default="", metavar="NAME", help="Which portal of the file. Default: the one without a name."
)


@click.group(
    "sandbox",
    cls=Group,
    help="Run, fill or read an emulated portal. It obeys the server's rules and needs no account.",
    examples=[
        "sipsync sandbox serve --app appa --seed seed.json",
        "sipsync sandbox seed --db portal.sandbox seed.json",
        "sipsync sandbox dump --db portal.sandbox",
    ],
)
def command() -> None: ...


@command.command(
    "serve",
    cls=Command,
    help="""Serve emulated portals on 127.0.0.1 until SIGTERM or Ctrl-C; one JSON line says where, once it listens.

    Any portal name may stand before /rest/: each is a portal of its own. /_sandbox/reset, seed, faults
    (POST) and dump, stats (GET) are for tests; each takes ?portal=NAME.
    """,
    examples=[
        "sipsync sandbox serve --seed seed.json",
        "sipsync sandbox serve --app appa --app appb --bucket off --port 8080",
        "sipsync sandbox serve --faults faults.json   # " + '[{"match": {"method": "batch"}, "do": "reset-after"}]',
    ],
)
@option("--db", default=":memory:", show_default=True, metavar="FILE", help="Where portals are kept.")
@option("--seed", type=click.Path(path_type=Path), metavar="FILE", help="What the unnamed portal holds at first.")
@option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 takes one that is free.")
@option("--app", "apps", multiple=True, metavar="NAME", help="An application that may sign in.")
@option("--latency", type=Seconds(), default=0.0, metavar="SECONDS", help="How much longer each answer takes.")
@option("--bucket", type=Bucket(), default="50/2", show_default=True, help="Requests at once, and a second.")
@option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="Failures to play, as a JSON list.")
@option("--log", type=click.Path(path_type=Path), metavar="FILE", help="Write a JSON line for each request.")
@click.pass_obj
def serve_command(
    _session: Session,
    /,
    seed: Path | None,
    bucket: tuple[int, float] | None,
    faults: Path | None,
    log: Path | None,
    **told: Any,
) -> Exit:
    from sipsync.cli import streams
    from sipsync.sandbox import Options, seeds, serve

    options = Options(
        seed=seeds.read(read_text(seed), seed.name) if seed else None,
        bucket=bucket,
        faults=tuple(_json(faults)) if faults else (),
        log=log,
        **told,
    )
    serve(options, lambda line: streams.write(line + "\n"))
    return Exit.OK


@command.command(
    "seed",
    cls=Command,
    help="""Lay lines into an emulated portal's file, in the place of what it holds.

    \b
    A seed, as JSON or YAML:
      {"lines": [{"type": "cloud", "title": "Sales", "server": "sip.example", "login": "1",
                  "password": "x", "app": null, "config_id": 69}],
       "configs": [{"name": "+74951234567", "mode": "RENT"}]}
    `configs` are rented numbers and caller ids, whose names block titles. Further keys: of a line
    reg_id, status_code, registration; beside the lines default_line, access.
    """,
    examples=["sipsync sandbox seed --db portal.sandbox seed.json"],
)
@click.argument("seed", type=click.Path(path_type=Path), help="The seed.")
@_db
@_portal
@click.pass_obj
def seed_command(_session: Session, seed: Path, db: str, portal: str) -> Exit:
    from sipsync.cli import streams
    from sipsync.report.wording import count
    from sipsync.sandbox import seed_portal, seeds

    lines = seed_portal(db, seeds.read(read_text(seed), seed.name), portal)
    streams.write(f"{db}: {count(lines, 'line')}.\n")
    return Exit.OK


@command.command(
    "dump",
    cls=Command,
    help="Print what an emulated portal's file holds, as JSON. A dump can be used as a seed.",
    examples=["sipsync sandbox dump --db portal.sandbox"],
)
@_db
@_portal
@click.pass_obj
def dump_command(_session: Session, db: str, portal: str) -> Exit:
    from sipsync.cli import streams
    from sipsync.report.formats.json import dumped
    from sipsync.sandbox import dump_portal

    if not Path(db).exists():
        hint = Message("sipsync sandbox seed makes one, and so does the first plan of a file that names it.")
        raise SipsyncError(
            Diagnostic(Code.FILE_NOT_FOUND, Message("there is no emulated portal {db}", db=db), hint=hint)
        )
    streams.write(dumped(dump_portal(db, portal), indent=2) + "\n")
    return Exit.OK


def _json(file: Path) -> list[Any]:
    try:
        found = json.loads(read_text(file))
    except ValueError:
        found = None
    if not isinstance(found, list):
        hint = Message("See sipsync sandbox serve --help.")
        raise SipsyncError(
            Diagnostic(Code.BAD_VALUE, Message("{file} is no JSON list of faults", file=file), hint=hint)
        )
    return found


def read_text(file: Path) -> str:
    """The text of a file that the user named. Raises SipsyncError where it can't be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SipsyncError(
            Diagnostic(
                Code.FILE_UNREADABLE,
                Message("{file} can't be read: {value}", file=file, value=(reason or "").lower()),
                hint=Message("Check the path."),
            )
        ) from None
