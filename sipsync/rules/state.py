"""A portal in memory: its lines, what else bears a name, and the default outgoing line.

Rules only read a `PortalState` and return an `Effect`; `commit` carries it out. So a rule can be tried without doing
it, the emulated portal writes just what changed, and every step takes the same time however large the portal is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

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


_Config = TypeVar("_Config", "Row", "OtherConfig")


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
    elsewhere: tuple[str, ...] = ()
    """Outgoing lines that no list shows: `REST_APP:<id>`, the numbers of external lines (server source)."""
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
        elsewhere: Iterable[str] = (),
        default_line: str = "",
        cloud_limit: int = CLOUD_LIMIT,
    ) -> PortalState:
        """The portal that has these."""
        state = cls(elsewhere=tuple(elsewhere), default_line=default_line, cloud_limit=cloud_limit)
        state.line_ids.update(state.elsewhere)
        state.commit(Effect(None, rows=tuple(rows), others=tuple(others)))
        return state

    def commit(self, effect: Effect) -> None:
        """Carry an effect out."""
        for config_id in effect.dropped:
            self._count(self.rows.pop(config_id), -1)
        for row in effect.rows:
            self._put(self.rows, row)
            self.next_row = max(self.next_row, row.row_id + 1)
            self.next_registration = max(self.next_registration, (row.reg_id or 0) + 1)
        for other in effect.others:
            self._put(self.others, other)
        if effect.default_line is not None:
            self.default_line = effect.default_line

    def title_taken(self, title: str, but: int | None = None) -> bool:
        """Whether another config bears the title, as the database compares; NULL counts as empty."""
        holders = self._titles.get(title_key(title), set())
        if len(holders) > (but in holders):
            return True
        return title == "" and len(self._unnamed) > (but in self._unnamed)

    def _put(self, configs: dict[int, _Config], config: _Config) -> None:
        if (before := configs.get(config.config_id)) is not None:
            self._count(before, -1)
        configs[config.config_id] = config
        self._count(config, 1)
        self.next_config = max(self.next_config, config.config_id + 1)

    def _count(self, config: Row | OtherConfig, by: Literal[1, -1]) -> None:
        """Take a config into what is known of all of them, or out of it."""
        name = config.title if isinstance(config, Row) else config.name
        holders = self._unnamed if name is None else self._titles[title_key(name)]
        (holders.add if by == 1 else holders.discard)(config.config_id)
        if config.line_id is not None:
            self.line_ids[config.line_id] += by
        if isinstance(config, Row) and config.type == "cloud":
            self.cloud_lines += by
