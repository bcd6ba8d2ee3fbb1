"""`import` into a file that exists: edits of its text, so that comments, order and layout stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sipsync.config.reader.nodes import Mapping as Map
from sipsync.config.reader.nodes import Node, Scalar, Sequence
from sipsync.config.reader.source import Source
from sipsync.config.writer.keys import ALL_LINES, LineChoice, new_keys
from sipsync.config.writer.layout import Edit, documents, edited, outdated
from sipsync.config.writer.lines import EntryWriter, default_names, unsaid
from sipsync.config.writer.scalars import quoted, scalar
from sipsync.model.fields import SHOWN, FieldName
from sipsync.model.lines import CurrentLine, Snapshot
from sipsync.model.message import Message
from sipsync.model.problems import Code, ConfigError, Diagnostic
from sipsync.rules.values import stored, title_key


@dataclass(frozen=True, slots=True)
class Merged:
    """A file's new text, and by the keys of its lines what became of them."""

    text: str
    added: tuple[str, ...]
    differing: Mapping[str, tuple[FieldName, ...]]
    """What the portal has another value of, and the file keeps."""
    gone: tuple[str, ...]
    """Lines that are not on the portal."""


def merge(
    text: str,
    name: str,
    snapshot: Snapshot,
    *,
    overwrite: bool,
    pin: bool,
    portal: str | None = None,
    passwords: Mapping[int, str] | None = None,
    choice: LineChoice = ALL_LINES,
) -> Merged:
    """The file with the portal's lines that it lacks.

    `overwrite` gives its lines the portal's titles, servers and logins where they differ, `pin` writes the `config_id`
    into lines that were found by their titles. `passwords` (config_id → reference) go into lines that have none.
    `portal` names the document where the file holds several, `choice` the lines that are meant. Raises ConfigError
    where the file is not in order.
    """
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    work = _Merge.of(body, name, portal, passwords or {})
    matched = work.matched(snapshot.lines)
    new = work.new(matched, snapshot.lines, choice)
    found = {key: line for key, line in matched.items() if choice.selects(key)}
    merged = edited(body, list(work.edits(found, new, overwrite=overwrite, pin=pin)))
    return Merged(
        mark + (merged.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in body else merged),
        tuple(sorted(work.writer.keys[line.config_id] for line in new)),
        {} if overwrite else work.differing(found),
        tuple(key.text for key, _ in work.lines if key.text not in matched and choice.selects(key.text)),
    )


def line_keys(text: str, name: str, snapshot: Snapshot, portal: str, *, by_title: bool) -> tuple[str, ...]:
    """The keys that the file has, and those that the portal's other lines would get."""
    work = _Merge.of(text.removeprefix("\ufeff"), name, portal, {})
    work.new(work.matched(snapshot.lines), snapshot.lines, LineChoice(by_title))
    return (*(key.text for key, _ in work.lines), *work.writer.keys.values())


def secret_names(
    text: str, name: str, snapshot: Snapshot, portal: str, choice: LineChoice = ALL_LINES
) -> dict[int, str]:
    """What the passwords are to be called that lines of the file do not have yet, by config_id.

    A comment that `import` left says the name; a line that the file lacks gets the one that its comment would have.
    """
    work = _Merge.of(text.removeprefix("\ufeff"), name, portal, {})
    names = default_names(portal, snapshot)
    found = work.matched(snapshot.lines)
    wanted = {line.config_id for line in work.new(found, snapshot.lines, choice)}
    wanted |= {line.config_id for key, line in found.items() if choice.selects(key)}
    names = {config_id: name for config_id, name in names.items() if config_id in wanted}
    for key, line in work.lines:
        twin = found.get(key.text)
        if twin is None or twin.config_id not in names:
            continue
        if line.get("password") or work.defaults.get("password"):
            del names[twin.config_id]
        elif comment := work.comment(key):
            names[twin.config_id] = comment["name"]
    return names


def _document(roots: list[Map], name: str, portal: str | None) -> Map:
    if len(roots) == 1 and portal is None:
        return roots[0]
    for root in roots:
        if root.section("portal").text("name") == portal:
            return root
    if len(roots) == 1:
        return roots[0]  # named by its file
    summary = Message("{name} has no document of its own for the portal", name=name)
    raise ConfigError(Diagnostic(Code.NO_PORTALS, summary, hint=Message("Name one of them by `portal.name`.")))


@dataclass(slots=True)
class _Merge:
    """The edits of one document."""

    source: Source
    root: Map
    writer: EntryWriter
    lines: list[tuple[Scalar, Map]]
    taken: set[str]
    """Keys that no new line can have."""

    @classmethod
    def of(cls, text: str, name: str, portal: str | None, passwords: Mapping[int, str]) -> _Merge:
        """The edits of the portal's document."""
        source, roots = documents(text, name)
        root = _document(roots, name, portal)
        lines, removed = root.section("lines").entries, root.section("removed").entries
        called = portal or root.section("portal").text("name") or "portal"
        writer = EntryWriter(called, passwords, root.section("defaults").text("type"))
        named = [(key, value) for key, value in lines.values() if isinstance(value, Map)]
        return cls(source, root, writer, named, {*lines, *removed})

    def edits(
        self, found: Mapping[str, CurrentLine], new: list[CurrentLine], *, overwrite: bool, pin: bool
    ) -> Iterator[Edit]:
        """What changes the text; `found` says which line each key stands for, `new` which lines are added."""
        titles = self._titles(found if overwrite else {})
        self.writer.titles |= set(titles.values())
        for key, line in self.lines:
            twin = found.get(key.text)
            if twin and line.start >= key.end:
                renames = titles.get(key.text) == twin.title
                fields = [name for name in SHOWN if overwrite and (name != "title" or renames)]
                yield from self._line(key, line, twin, fields, pin=pin)
        if new:
            yield self._added(new)

    def new(
        self, found: Mapping[str, CurrentLine], current: tuple[CurrentLine, ...], choice: LineChoice
    ) -> list[CurrentLine]:
        """The lines that the file lacks, as far as they are meant; the writer learns the keys of all of them."""
        removed = self.root.section("removed").entries
        known = {line.config_id for line in found.values()}
        known |= {int(number) for _, entry in removed.values() if (number := _number(entry))}
        lacking = [line for line in current if line.config_id not in known and line.type != "other"]
        self.writer.keys = new_keys(lacking, self.taken, by_title=choice.by_title)
        return [line for line in lacking if choice.selects(self.writer.keys[line.config_id])]

    @property
    def defaults(self) -> Map:
        return self.root.section("defaults")

    def matched(self, current: tuple[CurrentLine, ...]) -> dict[str, CurrentLine]:
        """Which line each key stands for, as a plan finds it: by config_id, by the same title, by an equal one."""
        by_id = {line.config_id: line for line in current}
        found: dict[str, CurrentLine] = {}
        for key, line in self.lines:
            number = _number(line)
            if number and int(number) in by_id:
                found[key.text] = by_id.pop(int(number))
        for same in (str, title_key):
            free: dict[str, list[CurrentLine]] = {}
            for twin in by_id.values():
                free.setdefault(same(twin.title), []).append(twin)
            for key, line in self.lines:
                title = line.text("title")
                hits = free.get(same(title), []) if title and key.text not in found and not _number(line) else []
                if len(hits) == 1 and hits[0].config_id in by_id:
                    found[key.text] = by_id.pop(hits[0].config_id)
        return found

    def differing(self, found: Mapping[str, CurrentLine]) -> dict[str, tuple[FieldName, ...]]:
        """The fields of which the portal has another value, by key."""
        differing = {
            key.text: tuple(name for name in SHOWN if self._differs(line, name, twin))
            for key, line in self.lines
            if (twin := found.get(key.text))
        }
        return {key: names for key, names in differing.items() if names}

    def _differs(self, line: Map, name: FieldName, twin: CurrentLine) -> bool:
        node = line.get(name) or self.defaults.get(name)
        return isinstance(node, Scalar) and stored(name, node.text) != str(twin.values.get(name, ""))

    def comment(self, key: Scalar) -> re.Match[str] | None:
        """The comment by which `import` says how a line's password would be managed."""
        text, column = self.source.text, self._column(key.start)
        below = text.find("\n", key.end) + 1 or len(text)
        deeper = re.compile(rf"(?: {{{column + 1},}}[^\n]*(?:\n|$)| *\r?\n)*").match(text, below)
        return _COMMENT.search(text, below, deeper.end() if deeper else below)

    def _titles(self, found: Mapping[str, CurrentLine]) -> dict[str, str]:
        """The titles that the file will have: the portal's, or the file's own where two lines would get one.

        A line that keeps its own title may stand in the way of another, so that one keeps its own as well.
        """
        own = {key.text: title for key, line in self.lines if (title := line.text("title"))}
        titles = own | {
            key: title for key in own if key in found and (title := found[key].title) and not unsaid("title", title)
        }
        while shared := {title for title, count in Counter(titles.values()).items() if count > 1}:
            kept = {key: own[key] for key, title in titles.items() if title in shared and title != own[key]}
            if not kept:
                break
            titles |= kept
        return titles

    def _line(self, key: Scalar, line: Map, twin: CurrentLine, fields: list[FieldName], *, pin: bool) -> Iterator[Edit]:
        """What brings an entry up to date: values in their place, new keys before the first one."""
        added = [f"config_id: {twin.config_id}"] if pin and "config_id" not in line.entries else []
        password = self.writer.passwords.get(twin.config_id)
        if password and not (line.get("password") or self.defaults.get("password")):
            reference = f"password: {scalar(password)}"
            if line.plain and (comment := self.comment(key)):
                yield comment.start("all"), comment.end("all"), reference
            else:
                added.append(reference)
        for written, value in line.written:
            yield from outdated(written, value, self.source.text)
        places = {value.start for key, value in line.written if value.start >= key.end}
        for name in fields:
            node = line.get(name) or self.defaults.get(name)
            text = str(twin.values.get(name, ""))
            if not isinstance(node, Scalar) or stored(name, node.text) == text or not text or unsaid(name, text):
                continue
            raw = self.source.text[node.start : node.end]
            new = scalar(text) if line.plain else quoted(text)
            if node.start not in places:
                added.append(f"{name}: {new}")
            elif not raw.startswith("&"):  # what others refer to stays
                # The line end belongs to a text of several lines.
                yield node.start, node.end, f"{new}\n" if raw.endswith("\n") else new
        if added and line.plain:
            place = line.written[0][0].start
            yield place, place, "".join(f"{text}\n{' ' * self._column(place)}" for text in added)
        elif added:
            place = self.source.text.index("{", line.start) + 1
            yield place, place, ", ".join(added) + (", " if line.written else "")

    def _added(self, missing: list[CurrentLine]) -> Edit:
        """New entries, after the last one."""
        text = self.source.text
        section = self.root.get("lines")
        if isinstance(section, Map) and not section.written:
            return section.start, section.end, "\n" + self._entries(missing, 2).rstrip("\n")
        if isinstance(section, Map) and section.plain:
            column, place = self._column(section.written[0][0].start), _end(section)
        elif section is None and self.root.plain:
            column, place = 2, _end(self.root)
        else:
            hint = Message("Write one line of the portal after the other below `lines:`, without brackets.")
            summary = Message("lines can't be added between brackets")
            raise ConfigError(Diagnostic(Code.WRONG_TYPE, summary, hint=hint, at=(section or self.root).at))
        end = text.find("\n", max(place - 1, 0)) + 1
        while end and (comment := re.compile(rf"(?: *\r?\n)* {{{column + 1},}}#.*(?:\n|$)").match(text, end)):
            end = comment.end()  # it belongs to the last entry
        head = "" if section else "lines:\n"
        if not end:
            return len(text), len(text), "\n" + head + self._entries(missing, column)
        return end, end, head + self._entries(missing, column)

    def _entries(self, missing: list[CurrentLine], column: int) -> str:
        return "".join(f"{' ' * column}{text}\n" for line in missing for text in self.writer.entry(line))

    def _column(self, place: int) -> int:
        return place - self.source.line_start(place)


_COMMENT = re.compile(r"^ *(?P<all># *password: env:(?P<name>[A-Za-z_]\w*)[^\r\n]*)", re.MULTILINE)


def _number(node: Node) -> str:
    text = node.text("config_id") if isinstance(node, Map) else ""
    return text if text.isascii() and text.isdigit() else ""


def _end(node: Node) -> int:
    """Where the last character of what is written stands, plus one."""
    if isinstance(node, Map) and node.plain and node.written:
        key, value = node.written[-1]
        return _end(value) if value.start >= key.end else key.end
    if isinstance(node, Sequence) and node.plain and node.items:
        return _end(node.items[-1]) if node.items[-1].start >= node.start else node.end
    return node.end
