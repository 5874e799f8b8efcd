"""Worklists: an item is opened once, and closed by somebody who says why."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from tallystick.book.parties.models import LegalEntity, Party
from tallystick.book.watch.models import WorkItem
from tallystick.book.watch.worklist import (
    NewItem,
    NoOpenItem,
    ResolutionMissing,
    close_item,
    items_open,
    open_items,
)

ON = date(2026, 3, 2)


@pytest.fixture
def entity_id(database) -> int:
    entity = LegalEntity.objects.create(
        code="LENDER",
        party=Party.objects.create(code="LENDER", name="Lender"),
        time_zone="Asia/Shanghai",
        calendar="China",
        opened_date=ON,
        business_date=ON,
    )
    return entity.pk


def opened(entity_id: int, subject: str) -> WorkItem:
    open_items(entity_id, [NewItem("unapplied_cash", subject, {"amount_minor": 5})], on=ON)
    return items_open(entity_id, kind="unapplied_cash")[-1]


def test_an_item_is_opened_once_until_it_is_closed(entity_id):
    item = opened(entity_id, "receipt:R1")
    assert opened(entity_id, "receipt:R1") == item

    close_item(item.pk, who="ann@lender.example", resolution="sent back to the payer")

    assert items_open(entity_id) == []
    assert opened(entity_id, "receipt:R1") != item


def test_an_item_is_closed_once_by_somebody_for_a_reason(entity_id):
    item = opened(entity_id, "receipt:R1")

    with pytest.raises(ResolutionMissing, match="says what was done"):
        close_item(item.pk, who="ann@lender.example", resolution=" ")
    close_item(item.pk, who="ann@lender.example", resolution="applied")
    with pytest.raises(NoOpenItem, match="no open work item"):
        close_item(item.pk, who="bob@lender.example", resolution="applied")
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkItem.objects.filter(pk=item.pk).update(resolution="never mind")
    assert WorkItem.objects.get().closed_by == "ann@lender.example"
