"""A portal in memory: its lines, what else bears a name, and the default outgoing line.

Rules only read a `PortalState` and return an `Effect`; `commit` carries it out. So a rule can be tried without doing
it, the emulated portal writes just what changed, and every step takes the same time however large the portal is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from sipsync.model.fields import FIELDS, FieldName, LineType
from sipsync.rules.values import title_key

CLOUD_LIMIT = 10
"""Cloud lines that a portal may have, of all owners together (server source)."""
FIRST_REGISTRATION = 150_001

EMPTY: Mapping[FieldName, str | None] = {name: None if field.secret else "" for name, field in FIELDS.items()}
"""The values of a line that was given none: a secret is SQL's NULL, any other field an empty text."""

Mode: TypeAlias = Literal["RENT", "GROUP", "LINK"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line as the server's database has it; None is SQL's NULL."""

    config_id: int
    type: LineType
    values: Mapping[FieldName, str | None]
    """All managed fields."""
    app: str | None = None
    """The application that made it; None: made in the interface or by a webhook."""
    reg_id: int | None = None
    """The registration of a cloud line; 0 = it could not be created; None for an office line."""
    status_code: int | None = None
    status_message: str | None = None
    incoming: bool = False
    """Whether an office line has its INCOMING_* values."""
    row_id: int = 0
    """The order of creation, in which lines are listed."""

    @property
    def title(self) -> str | None:
        """What `voximplant.line.get` calls it, and no other config may be called."""
        return self.values["title"]

    def having(self, values: Mapping[FieldName, str | None]) -> Row:
        """The same line with these values."""
        return replace(self, values={**self.values, **values})

    @property
    def line_id(self) -> str:
        """Its name among the outgoing lines; those without a registration share one."""
        if self.type == "cloud":
            return f"reg{self.reg_id or 0}"
        return f"sip{self.config_id if self.incoming else 0}"


@dataclass(frozen=True, slots=True)
class OtherConfig:
    """A rented number, a group of them, or a caller id: its name blocks titles too."""

    config_id: int
    name: str | None
    mode: Mode
    number: str | None = None

    @property
    def line_id(self) -> str | None:
        """Its name among the outgoing lines, if it is one: a group is not, nor a rented name without a number."""
        if self.mode == "LINK":
            return self.number or ""
        return self.number if self.mode == "RENT" and self.number else None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a call answers and changes."""

    reply: object
    """A `Refusal`, or the result."""
    rows: tuple[Row, ...] = ()
    """Lines to write, new or changed."""
    others: tuple[OtherConfig, ...] = ()
    dropped: tuple[int, ...] = ()
    """Lines to delete, by config_id."""
    default_line: str | None = None
    """The new default outgoing line; None leaves it."""
    registrations: int = 0
    """Creations and renewals of registrations asked of the telephony provider, whether it does them or not."""


@dataclass(slots=True)
class PortalState:
    """All that the rules know of a portal. Made by `of`, changed by `commit` only."""

    rows: dict[int, Row] = field(default_factory=dict)
    """By config_id, in the order of creation."""
    others: dict[int, OtherConfig] = field(default_factory=dict)
    default_line: str = ""
    """As it was set; it counts only while there is such a line."""
    cloud_limit: int = CLOUD_LIMIT
    cloud_lines: int = 0
    next_config: int = 1
    next_row: int = 1
    next_registration: int = FIRST_REGISTRATION
    line_ids: Counter[str] = field(default_factory=Counter)
    _titles: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _unnamed: set[int] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        rows: Iterable[Row] = (),
        others: Iterable[OtherConfig] = (),
        *,
        default_line: str = "",
        cloud_limit: int = CLOUD_LIMIT,
    ) -> PortalState:
        """The portal that has these."""
        state = cls(default_line=default_line, cloud_limit=cloud_limit)
        state.commit(Effect(None, rows=tuple(rows), others=tuple(others)))
        return state

    def commit(self, effect: Effect) -> None:
        """Carry an effect out."""
        for config_id in effect.dropped:
            self._forget(self.rows.pop(config_id))
        for row in effect.rows:
            if row.config_id in self.rows:
                self._forget(self.rows[row.config_id])
            self.rows[row.config_id] = row
            self._remember(row)
        for other in effect.others:
            if other.config_id in self.others:
                self._forget(self.others[other.config_id])
            self.others[other.config_id] = other
            self._remember(other)
        if effect.default_line is not None:
            self.default_line = effect.default_line

    def title_taken(self, title: str, but: int | None = None) -> bool:
        """Whether another config bears the title, as the database compares; NULL counts as empty."""
        holders = self._titles.get(title_key(title), set())
        if len(holders) > (but in holders):
            return True
        return title == "" and len(self._unnamed) > (but in self._unnamed)

    def _remember(self, config: Row | OtherConfig) -> None:
        self.next_config = max(self.next_config, config.config_id + 1)
        self._holders(config).add(config.config_id)
        if config.line_id is not None:
            self.line_ids[config.line_id] += 1
        if isinstance(config, Row):
            self.cloud_lines += config.type == "cloud"
            self.next_row = max(self.next_row, config.row_id + 1)
            self.next_registration = max(self.next_registration, (config.reg_id or 0) + 1)

    def _forget(self, config: Row | OtherConfig) -> None:
        self._holders(config).discard(config.config_id)
        if config.line_id is not None:
            self.line_ids[config.line_id] -= 1
        if isinstance(config, Row):
            self.cloud_lines -= config.type == "cloud"

    def _holders(self, config: Row | OtherConfig) -> set[int]:
        name = config.title if isinstance(config, Row) else config.name
        return self._unnamed if name is None else self._titles[title_key(name)]
