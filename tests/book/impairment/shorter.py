"""Rule packs whose days are few, so that a loan goes through every class within a fortnight."""

from collections.abc import Mapping

from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER, Scene

from tallystick.book.impairment.packs import adopt, preset
from tallystick.rules.rule_pack import RulePack, stored_rule_pack

SHORT_DAYS = {
    "special_mention_over_days": 2,
    "substandard_over_days": 4,
    "doubtful_over_days": 6,
    "loss_over_days": 8,
    "stage_2_over_days": 3,
    "stage_3_over_days": 4,
    "cure_needs_no_arrears": 0,
    "cure_after_months": 0,
}
"""Few days, and no time of observation: a debt that is paid performs again at once."""


def shorter(code: str, days: Mapping[str, int] = SHORT_DAYS) -> RulePack:
    """The package's pack with ``days`` in place of the law's."""
    content = preset(code).content
    thresholds = [
        {**each, "value": days.get(each["name"], each["value"])}
        for each in content["terms"]["thresholds"]
    ]
    terms = {**content["terms"], "thresholds": thresholds}
    return stored_rule_pack(code, {**content, "terms": terms})


def under(pack: RulePack, *, code: str = "LENDER") -> Scene:
    """A legal entity that classifies by ``pack`` from its first day on."""
    scene = scenes.opened(code=code)
    adopt(scene.legal_entity_id, pack, caller=CALLER, key=f"adopt-{code}")
    return scene
