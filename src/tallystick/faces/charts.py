"""Charts as inline SVG in the page's own colours, made from Altair specifications.

Colours are the design tokens (``var(--ink)`` …), so one picture serves light and dark and a strict
content policy: the SVG has no style, script or link. Every chart stands beside its table.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import altair as alt

INK, INK_2, RULE = "var(--ink)", "var(--ink-2)", "var(--rule)"
SERIES = ("var(--brand)", "var(--seal)", "var(--amber)", "var(--leaf)", "var(--series-5)",
          "var(--series-6)", "var(--series-7)", "var(--series-8)")  # fmt: skip
WIDTH, HEIGHT = 600, 220


def lines(dates: Sequence[date], series: Mapping[str, Sequence[float]], *, unit: str) -> str:
    """One line per named series over time; values are for looking at, in ``unit``."""
    import altair as alt

    return _svg(_over_time(dates, series, unit, alt.Chart().mark_line(strokeWidth=2)))


def load() -> None:
    """Draw a picture for nobody: the libraries load with the first, which takes seconds."""
    lines([date.min, date.max], {"": [0, 1]}, unit="")


@lru_cache(maxsize=256)
def _kept(
    draw: Callable[..., str],
    dates: tuple[date, ...],
    series: tuple[tuple[str, tuple[float, ...]], ...],
    unit: str,
) -> str:
    return draw(dates, dict(series), unit=unit)


def cached(
    draw: Callable[..., str],
    dates: Sequence[date],
    series: Mapping[str, Sequence[float]],
    *,
    unit: str,
) -> str:
    """What ``draw`` (``lines``, ``stacked_areas``) makes of the same values, drawn once.

    A picture takes 30 to 180 ms, and changes no sooner than its values.
    """
    return _kept(
        draw, tuple(dates), tuple((name, tuple(values)) for name, values in series.items()), unit
    )


def stacked_areas(
    dates: Sequence[date], series: Mapping[str, Sequence[float]], *, unit: str
) -> str:
    """Named series stacked over time; values are for looking at, in ``unit``."""
    import altair as alt

    return _svg(_over_time(dates, series, unit, alt.Chart().mark_area(opacity=0.85)))


def _over_time(
    dates: Sequence[date], series: Mapping[str, Sequence[float]], unit: str, chart: "alt.Chart"
) -> "alt.Chart":
    import altair as alt

    rows = [
        {"date": day.isoformat(), "series": name, "rank": rank, "value": value}
        for rank, (name, values) in enumerate(series.items())
        for day, value in zip(dates, values, strict=True)
    ]
    chart = chart.copy()
    chart.data = alt.Data(values=rows)
    return chart.encode(
        x=alt.X(
            "date:T",
            title=None,
            axis=alt.Axis(
                format="%Y-%m-%d",
                grid=False,
                tickCount=6,
                labelOverlap="greedy",
                labelSeparation=12,
            ),
        ),
        y=alt.Y("value:Q", title=unit, axis=alt.Axis(tickCount=5, domain=False, ticks=False)),
        color=alt.Color(
            "series:N",
            sort=list(series),
            scale=alt.Scale(domain=list(series), range=list(SERIES[: len(series)])),
            # One line needs no legend: the heading above the picture names it.
            legend=alt.Legend(orient="top", title=None, columns=4, labelLimit=0, columnPadding=16)
            if len(series) > 1
            else None,
        ),
        order=alt.Order("rank:Q"),
    )


def _svg(chart: "alt.Chart") -> str:
    import vl_convert

    spec = (
        chart.properties(width=WIDTH, height=HEIGHT)
        # The picture is hidden from screen readers: labels in it would be words in one language.
        .configure(background="transparent", font="system-ui, sans-serif", aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK_2,
            titleColor=INK_2,
            gridColor=RULE,
            domainColor=RULE,
            tickColor=RULE,
            titleFontWeight="normal",
            labelFontSize=12,
            titleFontSize=12,
        )
        .configure_legend(labelColor=INK, labelFontSize=12, symbolType="square")
        .to_dict()
    )
    svg: str = vl_convert.vegalite_to_svg(spec)
    # Beside the chart stands its table: to a screen reader the picture is one image, not 300 dots.
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
