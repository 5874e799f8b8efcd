"""The rule packs that come with the package, for tests of the rules."""

from pathlib import Path

import tallystick.programmes
from tallystick.rules.rule_pack import RulePack, read_rule_packs

FILE = Path(tallystick.programmes.__file__).parent / "packs" / "cn.toml"


def pack(code: str) -> RulePack:
    packs = read_rule_packs(FILE.read_text("utf-8"), file=FILE.name)
    return next(each for each in packs if each.code == code)
