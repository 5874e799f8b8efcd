"""Facts about loans and debtors: two people, dates, and what they do to classes and stages."""

from datetime import timedelta

import pytest
from tests.book.impairment.people import about, because, ended, person, recorded
from tests.book.impairment.shorter import shorter, under
from tests.book.impairment.test_classes import told_of
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings
from tests.book.servicing.scene import START
from tests.book.servicing.test_reverse import code_of

from tallystick.book.acts.reasons import ReasonMissing
from tallystick.book.impairment.facts import (
    FactEndedAlready,
    FactKind,
    NewFact,
    NotAFact,
    approve_fact,
    propose_end,
    propose_fact,
    reject_fact,
)
from tallystick.book.impairment.models import Fact
from tallystick.book.parties.models import User
from tallystick.book.parties.two_people import (
    AlreadyDecided,
    CheckedByMaker,
    NothingProposed,
    RoleMissing,
)
from tallystick.book.servicing.close import close_day, close_through

DAY = timedelta(days=1)
BANK = shorter("cn.bank")


def test_facts_of_a_loan_and_its_debtor_class_it_from_the_close_after_their_approval(database):
    scene = under(BANK)
    facility = scenes.facility(scene, "S1")
    diverted, impaired, sound = (scenes.lent(facility, 1_000, days=300) for _ in range(3))
    others = scenes.lent(scenes.facility(scene, "S2"), 1_000, days=300)

    close_day(scene.legal_entity_id, START)
    recorded(scene, about(code_of(diverted), FactKind.DIVERTED_USE, scene))
    close_day(scene.legal_entity_id, START + DAY)
    recorded(scene, about(code_of(impaired), FactKind.CREDIT_IMPAIRED, scene, share_bps=5_001))
    recorded(
        scene,
        NewFact(FactKind.OVERDUE_ELSEWHERE, None, "S2", from_date=START, share_bps=2_001),
    )
    close_day(scene.legal_entity_id, START + 2 * DAY)

    assert told_of(diverted) == [
        (1, "special_mention", "diverted_use", 1),
        (2, "substandard", "debtor_over_share_bps", 3),
    ]
    assert told_of(impaired) == [(2, "doubtful", "doubtful_over_loss_bps", 3)]
    assert told_of(sound) == [(2, "substandard", "debtor_over_share_bps", 3)]
    assert told_of(others) == [(2, "substandard", "elsewhere_over_share_bps", 3)]
    assert findings() == []


def test_the_debts_of_a_retail_debtor_are_classed_one_by_one_once_it_is_recorded_as_such(database):
    scene = under(BANK)
    facility = scenes.facility(scene, "S1")
    impaired, sound = (scenes.lent(facility, 1_000, days=300) for _ in range(2))
    recorded(scene, about(code_of(impaired), FactKind.CREDIT_IMPAIRED, scene))
    close_day(scene.legal_entity_id, START)
    recorded(scene, NewFact(FactKind.RETAIL_DEBTOR, None, "S1", from_date=START))
    close_day(scene.legal_entity_id, START + DAY)

    assert told_of(impaired) == [(0, "substandard", "credit_impaired", 3)]
    assert told_of(sound) == [(0, "substandard", "debtor_over_share_bps", 3), (1, "normal", "", 1)]
    assert findings() == []


def test_a_fact_that_has_ended_counts_no_more(database):
    scene = under(BANK)
    loan = scenes.lent(scenes.facility(scene, "S1"), 1_000, days=300)
    number = recorded(scene, about(code_of(loan), FactKind.CREDIT_IMPAIRED, scene))
    close_day(scene.legal_entity_id, START)
    ended(scene, number)
    close_day(scene.legal_entity_id, START + DAY)

    assert told_of(loan) == [(0, "substandard", "credit_impaired", 3), (1, "normal", "", 1)]
    with pytest.raises(FactEndedAlready):
        ended(scene, number)
    assert findings() == []


def test_a_rebutted_presumption_keeps_the_stage_and_not_the_class(database):
    scene = under(BANK)
    loan = scenes.lent(scenes.facility(scene, "S1"), 1_000, days=1)
    for kind in (FactKind.STAGE_2_REBUTTED, FactKind.STAGE_3_REBUTTED):
        recorded(scene, about(code_of(loan), kind, scene))

    close_through(scene.legal_entity_id, START + 6 * DAY)

    assert told_of(loan) == [
        (4, "special_mention", "special_mention_over_days", 1),
        (6, "substandard", "substandard_over_days", 2),
    ]


def test_a_pause_stops_the_count_of_days_for_its_time_and_the_class_goes_on(database):
    scene = under(BANK)
    loan = scenes.lent(scenes.facility(scene, "S1"), 1_000, days=1)
    pause = {"to_date": START + 4 * DAY}
    recorded(scene, about(code_of(loan), FactKind.DELINQUENCY_PAUSED, scene, **pause))

    closed = close_through(scene.legal_entity_id, START + 4 * DAY)

    # Due on the first day; the days to the fourth do not count, and the fourth is the first.
    buckets = [day.figures["delinquency"]["buckets"][0]["days_past_due"] for day in closed]
    assert buckets == ["0", "0", "0", "0", "0"]
    (closed,) = close_through(scene.legal_entity_id, START + 5 * DAY)
    assert closed.figures["delinquency"]["buckets"][0]["days_past_due"] == "1-30"
    assert told_of(loan)[0] == (4, "special_mention", "special_mention_over_days", 1)


def test_nobody_approves_his_own_fact_and_each_is_decided_on_once(database):
    scene = under(BANK)
    loan = scenes.lent(scenes.facility(scene, "S1"), 1_000)
    fact = about(code_of(loan), FactKind.DIVERTED_USE, scene)
    maker, checker = person("risk_officer"), person("approver")
    entity = scene.legal_entity_id
    number = propose_fact(fact, legal_entity_id=entity, maker=maker, caller=because(), key="k")

    assert number == propose_fact(
        fact, legal_entity_id=entity, maker=maker, caller=because(), key="k"
    )
    with pytest.raises(RoleMissing):
        approve_fact(number, checker=maker, caller=because(), key="a")
    with pytest.raises(RoleMissing):
        propose_fact(fact, legal_entity_id=entity, maker=checker, caller=because(), key="b")
    with pytest.raises(ReasonMissing):
        propose_fact(fact, legal_entity_id=entity, maker=maker, caller=because(" "), key="c")
    reject_fact(number, checker=checker, caller=because("not so"), key="d")
    with pytest.raises(AlreadyDecided):
        approve_fact(number, checker=checker, caller=because(), key="e")
    with pytest.raises(NothingProposed):
        approve_fact(9_999, checker=checker, caller=because(), key="f")
    with pytest.raises(FactEndedAlready):
        propose_end(number, from_date=START, maker=maker, caller=because(), key="g")
    User.objects.filter(pk=maker.pk).update(role="approver")
    maker.refresh_from_db()
    own = Fact.objects.create(
        legal_entity_id=entity, kind="diverted_use", loan_id=loan, from_date=START, maker=maker
    )
    with pytest.raises(CheckedByMaker):
        approve_fact(own.pk, checker=maker, caller=because(), key="h")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param({"loan": None}, "an advance or a debtor", id="about nothing"),
        pytest.param({"debtor": "S1"}, "an advance or a debtor", id="about two things"),
        pytest.param({"loan": "NONE"}, "no loan", id="an unknown loan"),
        pytest.param({"loan": None, "debtor": "NONE"}, "not recorded of a debtor", id="wrong kind"),
        pytest.param({"share_bps": 1}, "has no share", id="a share where there is none"),
        pytest.param({"from_date": START + DAY}, "has not come", id="a day to come"),
        pytest.param({"to_date": START}, "Name a later day", id="ending as it begins"),
        pytest.param({"kind": FactKind.DELINQUENCY_PAUSED}, "has an end", id="a pause for ever"),
        pytest.param(
            {"kind": FactKind.CREDIT_IMPAIRED, "share_bps": 10_001}, "10000", id="above the whole"
        ),
        pytest.param(
            {"kind": FactKind.OVERDUE_ELSEWHERE, "loan": None, "debtor": "S1"},
            "needs the share",
            id="a share that is missing",
        ),
        pytest.param(
            {"kind": FactKind.CREDIT_IMPAIRED, "loan": None, "debtor": "JD"},
            "no facility here",
            id="no debtor of ours",
        ),
    ],
)
def test_what_is_no_fact_is_refused_with_its_remedy(database, wrong, told):
    scene = under(BANK)
    loan = scenes.lent(scenes.facility(scene, "S1"), 1_000)
    terms = {
        "kind": FactKind.DIVERTED_USE,
        "loan": code_of(loan),
        "debtor": None,
        "from_date": START,
    } | wrong

    with pytest.raises(NotAFact, match=told):
        propose_fact(
            NewFact(**terms),
            legal_entity_id=scene.legal_entity_id,
            maker=person("risk_officer"),
            caller=because(),
            key="k",
        )
