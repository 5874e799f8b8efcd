"""``tally replay``: run a real data set through the product, in a database of its own."""

import os
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from tallystick.rules.refusal import Refusal

PPM = 1_000_000


class NotAShare(Refusal):
    """A share must lie between 0 and 1."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--draw-share {text!r}: give a number from 0 to 1, such as 0.8")


def replay(
    set_name: Annotated[str, typer.Argument(metavar="SET", help="cumcm2020c, ibm_ar or olist")],
    data: Annotated[
        Path | None, typer.Option(help="folder of the data; else the environment's TALLY_DATA")
    ] = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first issue date")
    ] = None,
    to: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="last one")] = None,
    draw_share: Annotated[str, typer.Option(help="drawn of what is available, 0 to 1")] = "0.8",
    lateness: Annotated[int, typer.Option(help="seed of how late obligors pay")] = 1,
    page: Annotated[Path | None, typer.Option(help="where to write the charts")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
) -> None:
    """Walk its dates: claims arrive, suppliers draw, obligors pay, days close, books are proved.

    Exit status 1 when the books do not agree at the end.
    """
    share_ppm = _share_ppm(draw_share)
    from tallystick.lab.sets import find_set

    paths = find_set(set_name, data=data, environment_data=os.environ.get("TALLY_DATA"))
    from tallystick.faces.cli.runs import day_bar, print_run, write_page
    from tallystick.site import cluster, databases

    page = page or cluster.home() / "runs" / f"replay-{set_name}.html"
    with databases.scratch("replay"):
        from tallystick.lab.run_replay import prepare_replay

        run = prepare_replay(
            set_name,
            paths,
            draw_share_ppm=share_ppm,
            lateness_seed=lateness,
            from_date=from_.date() if from_ else None,
            to_date=to.date() if to else None,
        )
        with day_bar(run.first_date, run.end_date, quiet=as_json) as show:
            summary = run.walk(on_day=show)
        findings = run.verify()
    write_page(summary, findings, page)
    print_run(summary, findings, page=page, as_json=as_json)
    if findings:
        raise typer.Exit(1)


def _share_ppm(text: str) -> int:
    try:
        share_ppm = Decimal(text) * PPM
    except InvalidOperation:
        raise NotAShare(text) from None
    if not share_ppm.is_finite() or not 0 <= share_ppm <= PPM:
        raise NotAShare(text)
    return int(share_ppm)
