"""The portal's strings and their Chinese: found, written down, compiled, and checked.

    python -m tallystick.faces.portal.catalogue

brings ``locale/zh_Hans/LC_MESSAGES/django.po`` up to date with the strings in code and templates,
compiles it, and lists what is not translated yet. For people who work on the code: it needs Babel,
which the development lock has. Django's own tools would need GNU gettext on every machine.
"""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PORTAL = Path(__file__).parent
SOURCES = (PORTAL, PORTAL.parent / "api")
PO = PORTAL / "locale/zh_Hans/LC_MESSAGES/django.po"
MO = PO.with_suffix(".mo")

SINGULAR = {"gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy"}

HEADER = """# Chinese (Simplified) of the portal.
msgid ""
msgstr ""
"Project-Id-Version: Tallystick\\n"
"Language: zh_Hans\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
"""Without dates, so that the files change only with the strings."""

UNDATED = datetime(2026, 1, 1, tzinfo=UTC)

Message = tuple[str | None, str | tuple[str, str]]
"""Context, and the string or its singular and plural."""

NAMES = {"Tallystick", "UTC", "CSV", "XLSX", "APR", "tk"}
"""Words that are the same in every language; ``tk`` begins the key of a machine client."""

# Blocks that name a class or hold data for a script, not words for a reader.
_UNREAD_BLOCKS = {"width"}
_UNREAD_ELEMENTS = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)

# What stands between tags is read by people; attributes that are, are named.
_TAG = re.compile(r"<[^>]*>", re.DOTALL)
_READ_ATTRIBUTE = re.compile(r'\b(?:title|alt|aria-label|placeholder)="([^"]*)"')
_ARGUMENT = re.compile(r"""_\((["'])(.+?)\1\)""")
_WORD = re.compile(r"[A-Za-z]{2,}")
_ENTITY = re.compile(r"&[a-z#0-9]+;")


def messages() -> set[Message]:
    """Every string that code and templates mark to be translated."""
    return {
        message
        for folder in SOURCES
        for path in sorted(folder.rglob("*"))
        for message in _marked_in(path)
    }


def _marked_in(path: Path) -> Iterator[Message]:
    if path.suffix == ".py":
        yield from _marked_in_code(path)
    elif path.suffix in {".html", ".txt"}:
        yield from _marked_in_template(path)


def _marked_in_code(path: Path) -> Iterator[Message]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    # A module may call gettext by another name, such as ``_``.
    called = {
        each.asname or each.name: each.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for each in node.names
    }
    for node in nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = called.get(node.func.id, "")
        texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if name in SINGULAR and texts:
            yield None, str(texts[0])
        elif name in PLURAL and len(texts) >= 2:
            yield None, (str(texts[0]), str(texts[1]))
        elif name in WITH_CONTEXT and len(texts) >= 2:
            yield str(texts[0]), str(texts[1])


def _marked_in_template(path: Path) -> Iterator[Message]:
    from django.template import Engine, Template
    from django.templatetags.i18n import BlockTranslateNode, TranslateNode

    source = path.read_text()
    for _quote, text in _ARGUMENT.findall(source):
        yield None, text
    template = Template(source, engine=Engine.get_default())
    for node in template.nodelist.get_nodes_by_type(TranslateNode):
        text = node.filter_expression.var
        yield _context(node), str(getattr(text, "literal", text))
    for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
        singular, _ = node.render_token_list(node.singular)
        if node.trimmed:
            singular = " ".join(singular.split())
        if not node.plural:
            yield _context(node), singular
            continue
        plural, _ = node.render_token_list(node.plural)
        if node.trimmed:
            plural = " ".join(plural.split())
        yield _context(node), (singular, plural)


def _context(node: object) -> str | None:
    context = getattr(node, "message_context", None)
    return None if context is None else str(context.var)


def unmarked() -> list[str]:
    """Words in templates that are not marked: every reader would see them in English."""
    from django.template import Engine, Template
    from django.template.base import TextNode
    from django.template.loader_tags import BlockNode

    found = []
    for path in sorted(PORTAL.rglob("*.html")):
        template = Template(path.read_text(), engine=Engine.get_default())
        unread = {
            id(text)
            for block in template.nodelist.get_nodes_by_type(BlockNode)
            if block.name in _UNREAD_BLOCKS
            for text in block.nodelist
        }
        # Texts are cut by the tags of the template, so HTML is put together before it is read.
        html = "".join(
            node.s if isinstance(node, TextNode) and id(node) not in unread else "\0"
            for node in template.nodelist.get_nodes_by_type(object)  # in the order of the page
        )
        html = _UNREAD_ELEMENTS.sub("\0", html)
        read = [*_READ_ATTRIBUTE.findall(html), _TAG.sub("\0", html)]
        words = {word for text in read for word in _WORD.findall(_ENTITY.sub(" ", text))}
        found += [f"{path.relative_to(PORTAL)}: {word}" for word in sorted(words - NAMES)]
    return found


def chinese() -> Catalog:
    """The translations as they are written down."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh_Hans", domain="django")


def untranslated() -> list[str]:
    """Marked strings without Chinese."""
    catalogue = chinese()
    return sorted(
        _shown(message)
        for message in messages()
        if not _translation(catalogue, message) or catalogue_entry(catalogue, message).fuzzy
    )


def catalogue_entry(catalogue: Catalog, message: Message) -> "Catalog.Message":  # type: ignore[name-defined]
    context, text = message
    return catalogue.get(text if isinstance(text, str) else text[0], context)


def _translation(catalogue: Catalog, message: Message) -> str:
    entry = catalogue_entry(catalogue, message)
    if entry is None:
        return ""
    parts = (entry.string,) if isinstance(entry.string, str) else entry.string
    return "" if not all(parts) else parts[0]


def _shown(message: Message) -> str:
    _, text = message
    return text if isinstance(text, str) else " / ".join(text)


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as Django reads it."""
    # Babel writes the moment of compiling, so that the same strings would never be the same file.
    catalogue.creation_date = catalogue.revision_date = UNDATED
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def update() -> Catalog:
    """Bring the file up to date: new strings without Chinese, old ones gone. Compiles it."""
    old = chinese() if PO.exists() else Catalog()
    new = Catalog(locale="zh_Hans", domain="django", fuzzy=False)
    for message in sorted(messages(), key=lambda message: (_shown(message), message[0] or "")):
        context, text = message
        entry = catalogue_entry(old, message)
        new.add(
            text,
            string="" if entry is None else entry.string,
            context=context,
            flags={"python-format"} if "%(" in _shown(message) else (),
        )
    PO.parent.mkdir(parents=True, exist_ok=True)
    entries = BytesIO()
    write_po(entries, new, width=100, omit_header=True)
    PO.write_bytes(HEADER.encode() + entries.getvalue())
    MO.write_bytes(compiled(chinese()))
    return new


def main() -> None:
    import django

    django.setup()
    update()
    missing = untranslated()
    print(f"{len(messages())} strings, {len(missing)} without Chinese", *missing, sep="\n")
    print(*unmarked(), sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()
