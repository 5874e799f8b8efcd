"""Rule packs as files and as rows: those of the package, and which one a legal entity is under."""

from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from tallystick.book.acts.once import Caller, once
from tallystick.book.impairment.models import Pack, PackInForce
from tallystick.book.parties.business_date import open_day
from tallystick.rules.canonical import canonical_json
from tallystick.rules.refusal import Refusal
from tallystick.rules.rule_pack import RulePack, read_rule_packs, stored_rule_pack

MAX_FILE_BYTES = 1_000_000


class UnknownRulePack(Refusal):
    """No pack has this code."""

    def __init__(self, code: str, known: list[str]) -> None:
        self.code = code
        self.known = tuple(known)
        super().__init__(
            f"There is no rule pack {code!r}. There is: {', '.join(known)}. "
            "Name one of them, or give a file of your own with --file."
        )


class UnreadableRulePackFile(Refusal):
    """The file is not there, too large, or not text."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file} cannot be read: {why}. Name a TOML file in UTF-8.")


class RulePackNotInForce(Refusal):
    """The laws of a pack are younger than the business day that would be classed by it."""

    def __init__(self, pack: RulePack, *, business_date: date) -> None:
        self.code = pack.code
        self.first_date = pack.first_date
        self.business_date = business_date
        super().__init__(
            f"Rule pack {pack.code} is in force from {pack.first_date} on, and the open business "
            f"day is {business_date}. Use it from that day on, or give a pack of the law of the "
            "time with --file."
        )


class InForce(NamedTuple):
    """A pack by which a day is classified."""

    pack_id: int
    pack: RulePack


@cache
def presets() -> dict[str, RulePack]:
    """Every rule pack that comes with the package, by code."""
    folder = resources.files("tallystick.programmes") / "packs"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    packs = [
        pack
        for file in files
        if file.name.endswith(".toml")
        for pack in read_rule_packs(file.read_text(encoding="utf-8"), file=file.name)
    ]
    return {pack.code: pack for pack in packs}


def preset(code: str) -> RulePack:
    """The package's pack ``code``, such as ``cn.factor``. Raises UnknownRulePack."""
    return _one_of(presets(), code)


def pack_in(file: Path, code: str) -> RulePack:
    """The pack ``code`` of a file of one's own.

    Raises UnreadableRulePackFile, InvalidRulePack, UnknownRulePack.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise UnreadableRulePackFile(file, f"it is larger than {MAX_FILE_BYTES:,} bytes")
        text = content.decode()
    except OSError as error:
        raise UnreadableRulePackFile(file, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise UnreadableRulePackFile(file, f"byte {error.start} is not UTF-8") from None
    return _one_of({pack.code: pack for pack in read_rule_packs(text, file=file.name)}, code)


def adopt(legal_entity_id: int, pack: RulePack, *, caller: Caller, key: str) -> date:
    """Classify by ``pack`` from the close of the open business day on; returns that day.

    Days closed before stay as they were classed. Repeating ``key`` changes nothing.

    Raises RulePackNotInForce, KeyConflict.
    """
    request = {"legal_entity_id": legal_entity_id, "pack": pack.code, "sha256": _hash(pack).hex()}
    with once(caller, key=key, kind="adopt_rule_pack", request=request) as act:
        if act.earlier is None:
            from_date = open_day(legal_entity_id)
            if from_date < pack.first_date:
                raise RulePackNotInForce(pack, business_date=from_date)
            stored, _ = Pack.objects.get_or_create(
                sha256=_hash(pack), defaults={"code": pack.code, "content": dict(pack.content)}
            )
            PackInForce.objects.create(
                legal_entity_id=legal_entity_id,
                pack=stored,
                from_date=from_date,
                act_id=act.act_id,
            )
            act.answer({"from_date": from_date.isoformat()})
    return date.fromisoformat((act.earlier or act.given or {})["from_date"])


def pack_on(legal_entity_id: int, day: date) -> InForce | None:
    """The pack by which the close of ``day`` classifies; None where there is none yet."""
    row = (
        PackInForce.objects.filter(legal_entity=legal_entity_id, from_date__lte=day)
        .order_by("-from_date", "-id")
        .values_list("pack_id", "pack__sha256")
        .first()
    )
    return None if row is None else InForce(row[0], pack_with(bytes(row[1])))


@lru_cache(maxsize=100)
def pack_with(content_sha256: bytes) -> RulePack:
    """The stored pack of that content; read once, since content under a hash never changes."""
    stored = Pack.objects.get(sha256=content_sha256)
    return stored_rule_pack(stored.code, stored.content)


def _one_of(packs: dict[str, RulePack], code: str) -> RulePack:
    if code not in packs:
        raise UnknownRulePack(code, list(packs))
    return packs[code]


def _hash(pack: RulePack) -> bytes:
    return sha256(canonical_json([pack.code, pack.content])).digest()
