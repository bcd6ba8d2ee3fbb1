"""What a run prepares once: secrets are resolved in one go, and the portals are grouped by host.

One host is one unit of work: its owners share titles, rate limit and lock, so their portals are planned together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from sipsync.model.clock import Clock
from sipsync.model.events import OnEvent, Waiting
from sipsync.model.lines import DesiredPortal, Snapshot
from sipsync.model.message import Message
from sipsync.model.operator import Operator
from sipsync.model.options import Selection
from sipsync.model.policy import Limits
from sipsync.model.problems import Code, Diagnostic, SecretError, SipsyncError
from sipsync.model.secret import Resolved, Secret, SecretRef
from sipsync.planning.inputs import PlanInput
from sipsync.portal.client import RestPortal, connect
from sipsync.portal.credential import Credential, credential_of
from sipsync.portal.throttle import Reason, Throttle
from sipsync.sandbox import embedded
from sipsync.secrets.resolve import Resolution, check_value, resolve


@dataclass(frozen=True, slots=True)
class HostJob:
    """One host: the portals (one for each owner) whose lines are there."""

    portals: tuple[DesiredPortal, ...]
    credentials: Mapping[str, Credential]
    secrets: Resolved
    operator: Operator
    selections: Selection | Mapping[str, Selection]
    """One, or by portal."""

    @property
    def host(self) -> str:
        """The host that the portals share."""
        return self.credentials[self.portals[0].name].identity.host

    def selection(self, portal: DesiredPortal) -> Selection:
        """What is asked of one of the portals."""
        return _selection(self.selections, portal, self.operator)

    def given(self, portal: DesiredPortal, current: Snapshot) -> PlanInput:
        """What planning needs of one of the portals."""
        credential = self.credentials[portal.name]
        # Where an embedded portal is kept differs from machine to machine.
        host = "sandbox" if portal.access.embedded else credential.identity.host
        owner, selection = credential.identity.owner, self.selection(portal)
        return PlanInput(portal, current, self.secrets, credential.seal, host, owner, selection)


@asynccontextmanager
async def connected(
    job: HostJob, clock: Clock, seconds: float, on_event: OnEvent
) -> AsyncIterator[dict[str, RestPortal]]:
    """The job's portals by name, open for the length of a `with`. They share one rate limit: it is the host's."""

    def on_wait(seconds: float, reason: Reason) -> None:
        on_event(Waiting(job.portals[0].name, seconds, reason))

    limits = Limits.loosest(portal.limits for portal in job.portals)
    throttle = Throttle(job.host, limits, clock, seconds=seconds, on_wait=on_wait)
    async with AsyncExitStack() as stack:
        names = [portal.name for portal in job.portals]
        yield {name: await stack.enter_async_context(connect(job.credentials[name], throttle)) for name in names}


def _selection(selections: Selection | Mapping[str, Selection], portal: DesiredPortal, operator: Operator) -> Selection:
    """What is asked of a portal. Who writes the files can read and write an embedded one, and would learn secrets."""
    selection = selections if isinstance(selections, Selection) else selections[portal.name]
    hidden = portal.access.embedded and not operator.sandbox_secrets
    return replace(selection, secrets=False) if hidden else selection


async def prepare(
    portals: Sequence[DesiredPortal],
    operator: Operator,
    selections: Selection | Mapping[str, Selection],
    clock: Clock,
    *,
    writes: bool = False,
) -> tuple[list[HostJob], dict[str, SipsyncError]]:
    """One job for each host, with the secrets of all resolved at once; and by portal why one can't even be asked.

    Without `writes` an embedded portal keeps nothing of what is done.
    """
    failed: dict[str, SipsyncError] = {}
    # A secret that is used twice is asked for, and told missing, once.
    wanted = {
        portal.name: tuple(dict.fromkeys(_references(portal, _selection(selections, portal, operator))))
        for portal in portals
    }
    resolution = await resolve((ref for refs in wanted.values() for ref in refs), operator)
    by_host: dict[str, list[DesiredPortal]] = defaultdict(list)
    credentials: dict[str, Credential] = {}
    for portal in portals:
        try:
            credential = _credential(portal, wanted[portal.name], resolution, operator, clock, writes=writes)
        except SipsyncError as error:
            failed[portal.name] = error
        else:
            credentials[portal.name] = credential
            by_host[credential.identity.host].append(portal)
    jobs = []
    for group in by_host.values():
        failed |= _same_owner(group, credentials)
        if left := tuple(portal for portal in group if portal.name not in failed):
            jobs.append(HostJob(left, credentials, resolution.values, operator, selections))
    return jobs, failed


def _credential(
    portal: DesiredPortal,
    refs: Sequence[SecretRef],
    resolution: Resolution,
    operator: Operator,
    clock: Clock,
    *,
    writes: bool,
) -> Credential:
    """How the portal is asked. Raises SipsyncError for a secret that is missing, or is no good."""
    problems = [resolution.failures[ref] for ref in refs if ref in resolution.failures]
    problems += _bad_values(portal, resolution.values)
    if problems:
        raise SipsyncError(*problems)
    return credential_of(
        portal,
        resolution.values,
        operator,
        clock,
        ask_again=partial(_ask_again, operator),
        embedded=partial(embedded, clock=clock, keep=writes),
    )


def _references(portal: DesiredPortal, selection: Selection) -> Iterable[SecretRef]:
    """The secrets that this run needs: the credential, and the passwords of the lines that are looked at."""
    yield from portal.access.references()
    if selection.secrets:
        for line in portal.lines:
            if selection.selects(line.address):
                yield from (value for value in line.values.values() if isinstance(value, SecretRef))


async def _ask_again(operator: Operator, ref: SecretRef) -> Secret:
    resolution = await resolve([ref], operator)
    if ref in resolution.failures:
        raise SecretError(resolution.failures[ref])
    return resolution.values[ref]


def _bad_values(portal: DesiredPortal, secrets: Resolved) -> list[Diagnostic]:
    read = ((name, ref) for line in portal.lines for name, ref in line.values.items() if isinstance(ref, SecretRef))
    return [bad for name, ref in read if ref in secrets and (bad := check_value(name, ref, secrets[ref]))]


def _same_owner(group: Sequence[DesiredPortal], credentials: Mapping[str, Credential]) -> dict[str, SipsyncError]:
    """Portals that are one and the same: two files would fight over its lines."""
    owners: list[list[DesiredPortal]] = []
    for portal in group:
        account = credentials[portal.name].account
        same = next((each for each in owners if credentials[each[0].name].account == account), [])
        if not same:
            owners.append(same)
        same.append(portal)
    twice = {}
    hint = Message(
        "Put its lines into one file: all webhooks of a portal see the same lines. Until then, "
        "--exclude PORTAL leaves the one out that should not be there."
    )
    for same in owners:
        if len(same) > 1:
            summary = _same(*(str(portal.at) for portal in same))
            for portal in same:
                twice[portal.name] = SipsyncError(
                    Diagnostic(Code.HOST_TWICE, summary, hint=hint, at=portal.at, address=portal.name)
                )
    return twice


def _same(one: str, other: str, *more: str) -> Message:
    """One text for all of these places: however many they are, each learns of another one."""
    if not more:
        return Message("{one} and {other} lead to the same portal and the same owner of lines", one=one, other=other)
    return Message(
        "{one}, {other} and {n} more lead to the same portal and the same owner of lines",
        one=one,
        other=other,
        n=len(more),
    )
