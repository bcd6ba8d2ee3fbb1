"""An address is a text that knows its two parts."""

from __future__ import annotations

import pickle

from sipsync.model.lines import Address
from sipsync.model.plan import LineEvidence, PlannedCall, PortalPlan


def test_an_address_is_a_text_that_knows_its_parts() -> None:
    address = Address("acme", "sales")
    assert (address, address.portal, address.key) == ("acme.sales", "acme", "sales")
    assert Address("acme.sales") == address
    assert pickle.loads(pickle.dumps(address)).key == "sales"


def test_an_address_in_a_document_is_written_as_a_text_and_read_as_an_address() -> None:
    call = PlannedCall(id="acme:1", portal="acme", address=Address("acme", "sales"), method="m", params={})
    plan = PortalPlan(
        portal="acme", calls=(call,), evidence={call.address: LineEvidence(config_id=1, before={}, after={})}
    )
    again = PortalPlan.model_validate_json(plan.model_dump_json())
    assert again == plan
    assert again.calls[0].address.key == next(iter(again.evidence)).key == "sales"
