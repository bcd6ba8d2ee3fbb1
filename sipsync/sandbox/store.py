"""The emulated portals of one SQLite file.

States live in memory and are written through: a request is one transaction that writes the changed rows only. Several
processes may share a file: before a request it is asked whether somebody else wrote, and then states are read anew.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sipsync.model.fields import FIELDS
from sipsync.model.message import Message
from sipsync.model.problems import Code, Diagnostic, SipsyncError
from sipsync.rules.state import Effect, OtherConfig, PortalState, Row
from sipsync.sandbox.portal import Access, Portal, Registration, Stats

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "lines": ("row_id", "config_id", "type", "app", "reg_id", "status_code", "status_message", "incoming", *FIELDS),
    "configs": ("config_id", "name", "mode", "number"),
}
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS portals (name TEXT PRIMARY KEY, head TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS lines (
  portal TEXT, config_id INTEGER, row_id INTEGER, type TEXT, {" TEXT, ".join(FIELDS)} TEXT,
  app TEXT, reg_id INTEGER, status_code INTEGER, status_message TEXT, incoming INTEGER,
  PRIMARY KEY (portal, config_id)) STRICT;
CREATE TABLE IF NOT EXISTS configs (
  portal TEXT, config_id INTEGER, name TEXT, mode TEXT, number TEXT, PRIMARY KEY (portal, config_id)) STRICT;
"""


def _copy(file: Path, memory: sqlite3.Connection) -> None:
    """What a file holds, with what its log adds, and without a trace of the reading beside it."""
    if not file.is_file():
        raise OSError("it is not a regular file")
    with TemporaryDirectory(prefix="sipsync-") as folder:
        where = file
        if not Path(f"{file}-shm").is_file():  # nobody has it open, and opening it would make that file
            where = Path(folder, "portal")
            for ending in ("", "-wal"):
                if not ending or Path(f"{file}{ending}").is_file():
                    shutil.copyfile(f"{file}{ending}", f"{where}{ending}")
        with closing(sqlite3.connect(f"{where.absolute().as_uri()}?mode=ro", uri=True)) as source:
            source.backup(memory)


class Store:
    """Portals by name; a portal comes into being by being asked for."""

    def __init__(self, path: str, *, keep: bool = True) -> None:
        """`keep=False` begins as the file is, in memory: nothing is created or changed."""
        try:
            self._db = sqlite3.connect(path if keep else ":memory:", isolation_level=None, check_same_thread=False)
            self.close = weakref.finalize(self, self._db.close)
            if not keep and Path(path).exists():
                _copy(Path(path), self._db)
            self._db.executescript("PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
            self._db.executescript(_SCHEMA)
            there = {column[1] for column in self._db.execute("PRAGMA table_info(lines)")}
            for name in FIELDS.keys() - there:  # a file of before the field was managed
                self._db.execute(f"ALTER TABLE lines ADD COLUMN {name} TEXT")
        except (OSError, sqlite3.Error) as error:
            summary = Message("{path} can't be used as an emulated portal: {error}", path=path, error=error)
            hint = Message("Name a file that does not exist yet, or one that sipsync made, in a folder you may write.")
            raise SipsyncError(Diagnostic(Code.FILE_UNREADABLE, summary, hint=hint)) from None
        self._portals: dict[str, Portal] = {}
        self.stats: dict[str, Stats] = {}
        """What was asked of each portal in this process."""
        self._version = self._foreign_version()

    def _foreign_version(self) -> int:
        """A number that moves when another connection commits."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(version)

    def refresh(self) -> bool:
        """Forget what another process may have changed; whether there was something."""
        version = self._foreign_version()
        if version == self._version:
            return False
        self._version = version
        self._portals.clear()
        return True

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: what is committed to portals in the block is stored at its end, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self.refresh()
            yield
            for portal in self._portals.values():
                self._save(portal)
            self._db.execute("COMMIT")
        except BaseException:
            self._portals.clear()
            self._db.execute("ROLLBACK")
            raise

    def portal(self, name: str) -> Portal:
        """The portal of this name."""
        if name not in self._portals:
            self._portals[name] = self._load(name)
            self._portals[name].stats = self.stats.setdefault(name, Stats())
        return self._portals[name]

    def replace(self, portal: Portal) -> None:
        """Put a portal in the place of the one of its name; within `writing`."""
        for table in ("lines", "configs"):
            self._db.execute(f"DELETE FROM {table} WHERE portal = ?", (portal.name,))  # noqa: S608  # two constants
        self._portals[portal.name] = portal
        self.stats[portal.name] = portal.stats
        rows, others = tuple(portal.state.rows.values()), tuple(portal.state.others.values())
        portal.unsaved = [Effect(None, rows=rows, others=others)]

    def fact(self, name: str) -> str | None:
        """A text kept beside the portals."""
        found = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else None

    def keep(self, name: str, value: str) -> None:
        """Keep a text beside the portals."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def key(self, token: Callable[[int], bytes]) -> bytes:
        """A random value that belongs to the file, made once."""
        self._db.execute("INSERT OR IGNORE INTO facts VALUES ('key', ?)", (token(32).hex(),))
        return bytes.fromhex(self.fact("key") or "")

    def _load(self, name: str) -> Portal:
        found = self._db.execute("SELECT head FROM portals WHERE name = ?", (name,)).fetchone()
        if found is None:
            return Portal(name)
        head = json.loads(found[0])
        rows = [
            Row(values={field: line.pop(field) for field in FIELDS}, incoming=bool(line.pop("incoming")), **line)
            for line in self._select("lines", name)
        ]
        others = [OtherConfig(**config) for config in self._select("configs", name)]
        elsewhere = head.get("elsewhere", ())  # a file of before has none
        state = PortalState.of(rows, others, elsewhere=elsewhere, default_line=head["default_line"])
        state.next_config, state.next_row, state.next_registration = head["next"]
        said = {int(reg_id): Registration(**found) for reg_id, found in head["registrations"].items()}
        return Portal(name, state, Access(**head["access"]), said)

    def _save(self, portal: Portal) -> None:
        if not portal.unsaved:
            return
        for effect in portal.unsaved:
            for config_id in effect.dropped:
                self._db.execute("DELETE FROM lines WHERE portal = ? AND config_id = ?", (portal.name, config_id))
            rows = [asdict(row) for row in effect.rows]
            self._insert("lines", portal.name, [{**row.pop("values"), **row} for row in rows])
            self._insert("configs", portal.name, [asdict(other) for other in effect.others])
        portal.unsaved.clear()
        state = portal.state
        head = {
            "default_line": state.default_line,
            "elsewhere": state.elsewhere,
            "next": [state.next_config, state.next_row, state.next_registration],
            "access": asdict(portal.access),
            "registrations": {reg_id: asdict(said) for reg_id, said in portal.registrations.items()},
        }
        self._db.execute("INSERT OR REPLACE INTO portals VALUES (?, ?)", (portal.name, json.dumps(head)))

    def _select(self, table: str, portal: str) -> list[dict[str, Any]]:
        columns = _COLUMNS[table]
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE portal = ? ORDER BY {columns[0]}"  # noqa: S608  # constants
        return [dict(zip(columns, row, strict=True)) for row in self._db.execute(query, (portal,))]

    def _insert(self, table: str, portal: str, rows: list[dict[str, Any]]) -> None:
        names = ("portal", *_COLUMNS[table])
        query = f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES (:{', :'.join(names)})"  # noqa: S608  # constants
        self._db.executemany(query, [{"portal": portal, **row} for row in rows])
