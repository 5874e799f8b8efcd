"""Workbooks made by hand, part by part, for what no spreadsheet would write."""

import io
import zipfile

from openpyxl import Workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"

HEADER = ("seller", "buyer", "no", "issued", "gross", "contested")


def filled(*rows, name="Invoices", change=lambda _workbook: None):
    """A workbook of one sheet as bytes; ``change`` may do anything else to it."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = name
    for row in (HEADER, *rows):
        sheet.append(row)
    change(workbook)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def cell(place, value):
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def row(number, *values):
    cells = "".join(
        cell(f"{letter}{number}", v) for letter, v in zip("ABCDEF", values, strict=False)
    )
    return f'<row r="{number}">{cells}</row>'


def sheet(*rows, before="", after="", prolog=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<worksheet xmlns="{MAIN}">{before}'
        f"<sheetData>{''.join(rows)}</sheetData>{after}</worksheet>"
    )


def parts(worksheet, **more):
    """The least parts that make a workbook of ``worksheet``; keys of ``more`` are further ones."""
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/s1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/sst.xml" ContentType="{_TYPES}.sharedStrings+xml"/></Types>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_RELATIONS}">'
        '<sheets><sheet name="Invoices" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_RELATIONS}/worksheet" Target="s1.xml"/></Relationships>',
        "xl/sst.xml": f'<sst xmlns="{MAIN}"><si><t>shared</t></si></sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"/>',
        "xl/s1.xml": worksheet,
        **more,
    }


def archive(entries, *, compression=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as packed:
        for name, text in entries.items() if isinstance(entries, dict) else entries:
            packed.writestr(name, text)
    return content.getvalue()
