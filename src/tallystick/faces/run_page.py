"""The chart page of a run: figures to look at, each beside its table; one file, no script."""

from collections.abc import Callable, Sequence
from html import escape
from importlib import resources

from tallystick.faces import charts
from tallystick.lab.measures import (
    AGEING_BUCKETS,
    DayMeasures,
    ProgrammeMeasures,
    RunSummary,
)
from tallystick.rules.money import minor_digits, text_from_minor

TABLE_ROWS = 24
"""A chart's table shows so many evenly spaced days; the picture shows all."""


def run_page(summary: RunSummary, *, findings: Sequence[str]) -> str:
    """The whole page as HTML; ``findings`` are what ``verify`` found, none: the books agree."""
    days = summary.days
    currency = summary.currency
    figures = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)} <small>{escape(unit)}</small></dd></div>"
        for name, value, unit in _figures(summary)
    )
    state = (
        '<span class="state good">✓ books agree</span>'
        if not findings
        else f'<span class="state bad">✗ {len(findings)} differences</span>'
    )
    reasons = sorted(
        {reason for day in days for reason, minor in day.ineligible_minor.items() if minor},
        key=lambda reason: -sum(day.ineligible_minor.get(reason, 0) for day in days),
    )[:8]
    cards = [
        _card(
            "Available and drawn",
            days,
            {
                "available": [day.available_minor for day in days],
                "drawn": [day.drawn_minor for day in days],
            },
            currency,
            charts.lines,
        ),
        _card(
            "Claims left out of the base, by reason",
            days,
            {
                reason.replace("_", " "): [day.ineligible_minor.get(reason, 0) for day in days]
                for reason in reasons
            },
            currency,
            charts.stacked_areas,
        ),
        _card(
            "Claims by days past due",
            days,
            {
                bucket: [day.ageing_minor.get(bucket, 0) for day in days]
                for bucket in AGEING_BUCKETS
            },
            currency,
            charts.stacked_areas,
        ),
        _card(
            "Interest earned so far",
            days,
            {"interest": [day.interest_minor for day in days]},
            currency,
            charts.lines,
        ),
        _card(
            "Principal over 90 days past due, and drawn above cover",
            days,
            {
                "over 90 days past due": [day.lost_minor for day in days],
                "shortfall": [day.shortfall_minor for day in days],
            },
            currency,
            charts.lines,
        ),
    ]
    assumptions = "".join(f"<li>{escape(line)}</li>" for line in summary.assumptions)
    found = "".join(f"<li>{escape(line)}</li>" for line in findings[:50])
    first, last = days[0].date, days[-1].date
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(summary.name)} · Tallystick</title><style>{_style()}</style><main>"
        f'<header><p class="small">{first} to {last} · seed {summary.seed}</p>'
        f"<h1>{escape(summary.name)} {state}</h1></header>"
        f'<section class="card"><dl>{figures}</dl></section>'
        f'{_programmes(summary)}<div class="two">{"".join(cards)}'
        '<section class="card"><h2>Taken as given</h2>'
        f'<ul class="small">{assumptions}</ul></section>'
        + (f'<section class="card"><h2>Differences</h2><ul>{found}</ul></section>' if found else "")
        + "</div></main></html>"
    )


def programmes_beside(summary: RunSummary) -> list[tuple[str, ...]]:
    """The programmes of a run side by side: a row of codes, and one for each figure of theirs."""

    def money(name: str, minor_of: Callable[[ProgrammeMeasures], int]) -> tuple[str, ...]:
        return name, *(
            text_from_minor(minor_of(each), summary.currency, thousands=True)
            for each in summary.programmes
        )

    return [
        ("", *(each.code for each in summary.programmes)),
        ("suppliers", *(f"{each.suppliers:,}" for each in summary.programmes)),
        ("loans paid out", *(f"{each.loans:,}" for each in summary.programmes)),
        money("paid out", lambda each: each.drawn_minor),
        money("outstanding at the end", lambda each: each.outstanding_minor),
        money("of that, in loans past due", lambda each: each.past_due_minor),
        money("interest and penalty earned", lambda each: each.interest_minor),
        money("provided for losses", lambda each: each.allowance_minor),
    ]


def _programmes(summary: RunSummary) -> str:
    """The programmes side by side, where there are several."""
    if len(summary.programmes) < 2:
        return ""
    codes, *rows = programmes_beside(summary)
    head = "".join(f"<th scope=col>{escape(code)}</th>" for code in codes)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(figure)}</td>" for figure in row) + "</tr>" for row in rows
    )
    return (
        f'<section class="card"><h2>By programme, {escape(summary.currency)}</h2>'
        f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        "</div></section>"
    )


def _style() -> str:
    return (resources.files("tallystick.faces") / "run_page.css").read_text("utf-8")


def _figures(summary: RunSummary) -> list[tuple[str, str, str]]:
    def money(amount_minor: int) -> tuple[str, str]:
        return _short(amount_minor, summary.currency)

    last = summary.last
    return [
        ("Suppliers", f"{summary.suppliers:,}", ""),
        ("Documents", f"{summary.documents:,}", ""),
        ("Drawdowns", f"{summary.draws:,}", ""),
        ("Paid out to suppliers", *money(summary.drawn_minor)),
        ("Repaid out of settlements", *money(summary.repaid_minor)),
        ("Most drawn at once", *money(summary.peak_drawn_minor)),
        ("Drawn at the end", *money(last.drawn_minor)),
        ("Interest earned", *money(last.interest_minor)),
        ("Over 90 days past due", *money(last.lost_minor)),
    ]


def _card(
    title: str,
    days: Sequence[DayMeasures],
    series: dict[str, list[int]],
    currency: str,
    draw: Callable[..., str],
) -> str:
    scale, unit = _scale(max((max(v) for v in series.values() if v), default=0), currency)
    picture = (
        draw(
            [day.date for day in days],
            {name: [value / scale for value in values] for name, values in series.items()},
            unit=unit,
        )
        if series
        else ""
    )
    step = max(1, -(-len(days) // TABLE_ROWS))
    shown = sorted({*range(0, len(days), step), len(days) - 1})
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in series)
    body = "".join(
        f"<tr><td>{days[i].date}</td>"
        + "".join(f"<td>{text_from_minor(values[i], currency)}</td>" for values in series.values())
        + "</tr>"
        for i in shown
    )
    return (
        f'<section class="card"><h2>{escape(title)}</h2><figure>{picture or "<p>none</p>"}'
        f"<details><summary>Figures in {currency}</summary><div class=scroll><table>"
        f"<thead><tr><th scope=col>date</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        "</details></figure></section>"
    )


def _scale(largest_minor: int, currency: str) -> tuple[float, str]:
    unit_minor = 10 ** minor_digits(currency)
    for step, name in ((1_000_000_000, "bn"), (1_000_000, "m"), (1_000, "k")):
        if largest_minor >= step * unit_minor:
            return float(step * unit_minor), f"{currency} {name}"
    return float(unit_minor), currency


def _short(amount_minor: int, currency: str) -> tuple[str, str]:
    scale, unit = _scale(abs(amount_minor), currency)
    return f"{amount_minor / scale:,.2f}", unit
