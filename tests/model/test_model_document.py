"""What public documents have in common."""

from __future__ import annotations

import pytest

from sipsync.model.document import Report
from sipsync.model.findings import Findings
from sipsync.model.outcome import Outcome
from sipsync.model.plan import Plan, PortalPlan


@pytest.mark.parametrize("document", [Findings(), Outcome(), Plan(parts=(PortalPlan(portal="acme"),) * 10_000)])
def test_the_representation_of_a_document_is_as_short_as_its_name(document: Report) -> None:
    assert repr(document) == f"{type(document).__name__}(…)"
