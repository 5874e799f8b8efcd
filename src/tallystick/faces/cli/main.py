"""The command line: one table of commands, one place where a refusal becomes a message.

A command's module is imported when the command is run, so that ``--help`` stays fast and one
command's dependencies cost the others nothing. Adding a command is one line of COMMANDS.
"""

import os
import signal
import sys
import traceback
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from tallystick import __version__
from tallystick.rules.refusal import Refusal

REFUSED = 2
INTERRUPTED = 130
TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: ``where`` is MODULE:NAME in this package, a function or a typer group.

    Options it does not know are refused, or handed to the function's list of arguments.
    """

    name: str
    where: str
    summary: str
    panel: str
    hands_options_on: bool = False


START, MONEY, BOOKS, LAB, HOUSE = (
    "Start here",
    "Trade and money",
    "Days and books",
    "What if",
    "Installation",
)

COMMANDS = (
    Entry("demo", "demo:demo", "Run a simulated marketplace and look at its books.", START),
    Entry("test", "testing:check", "Check everything: lint, types, tests, docs.", START, True),
    Entry("programme", "programmes:app", "List, show and check financing programmes.", MONEY),
    Entry("rate", "rates:app", "Reference rates: import published values, list them.", MONEY),
    Entry("entity", "setting_up:entity_app", "Our legal entities: open one, fund it.", MONEY),
    Entry("facility", "setting_up:facility_app", "Facilities: open one, see its limits.", MONEY),
    Entry("import", "imports:import_files", "Take in trade documents from files.", MONEY),
    Entry("pool", "pool:app", "What a pool of claims is worth as collateral, and why.", MONEY),
    Entry("draw", "money:draw", "Draw money on a facility.", MONEY),
    Entry("bank", "bank:app", "Payment orders, and what the bank says of them.", MONEY),
    Entry("settle", "bank:settle", "Take an obligor's cash: claims paid, loans swept.", MONEY),
    Entry("repay", "repayments:repay", "Repay early, from the supplier's own cash.", MONEY),
    Entry("receipt", "receipts:app", "Cash received: apply what waits, take one back.", MONEY),
    Entry("refund", "receipts:refund", "Pay out credit that a supplier has with us.", MONEY),
    Entry("freeze", "money:freeze", "Stop new drawdowns on a facility, with a reason.", MONEY),
    Entry("unfreeze", "money:unfreeze", "Let a frozen facility be drawn again.", MONEY),
    Entry("loan", "loan:app", "A loan: its state and why it is so, and what is done to it.", MONEY),
    Entry("funder", "funders:app", "Funders with shares of loans, and their money.", MONEY),
    Entry("sales", "sales:app", "Advances repaid by a share of a merchant's sales.", MONEY),
    Entry("close", "day:close", "Close business days.", BOOKS),
    Entry("collections", "collections:app", "Firms that pay late, and what is done.", BOOKS),
    Entry("classes", "classes:app", "Classes of loans, provisions, and facts.", BOOKS),
    Entry("worklist", "worklist:app", "What needs a person.", BOOKS),
    Entry("verify", "day:verify", "Prove the books' invariants, or name what is wrong.", BOOKS),
    Entry("ledger", "ledger:app", "Entries, balances, seals and proofs.", BOOKS),
    Entry("replay", "replay:replay", "Run a real data set through the product.", LAB),
    Entry("soak", "soak:soak", "Let partners misbehave for days; prove the books daily.", LAB),
    Entry("bench", "bench:app", "Measure speed, each in a database of its own.", LAB),
    Entry("serve", "serve:serve", "Serve over HTTP on this machine.", HOUSE),
    Entry("migrate", "migrate:migrate", "Make the database ready for this version.", HOUSE),
    Entry("user", "users:app", "People who may sign in.", HOUSE),
    Entry("client", "clients:app", "Programs that may use the API.", HOUSE),
    Entry("webhook", "webhooks:app", "Tell other servers what happens in the book.", HOUSE),
    Entry("backup", "backup:backup", "Write the whole database to a folder.", HOUSE),
    Entry("restore", "backup:restore", "Read a backup into an empty database.", HOUSE),
    Entry("archive", "archive:app", "Keep the log, for a restore to any instant.", HOUSE),
)


class Commands(TyperGroup):
    """The table above as a group: listed from the table, imported when run."""

    def __init__(self, **settings: Any) -> None:  # typer builds its groups by keyword
        super().__init__(**settings)
        self.commands = {
            entry.name: TyperCommand(
                name=entry.name, help=entry.summary, rich_help_panel=entry.panel
            )
            for entry in COMMANDS
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        for entry in COMMANDS:
            if entry.name == args[0]:
                self.commands[entry.name] = loaded(entry)
        return super().resolve_command(ctx, args)


def loaded(entry: Entry) -> Any:
    """Import the command and build it."""
    module, _, name = entry.where.partition(":")
    target = getattr(import_module(f"tallystick.faces.cli.{module}"), name)
    if isinstance(target, typer.Typer):
        command: Any = typer.main.get_group(target)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(
            entry.name, context_settings={"ignore_unknown_options": entry.hands_options_on}
        )(target)
        command = typer.main.get_command(alone)
    command.name = entry.name
    return command


app = typer.Typer(
    cls=Commands, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tallystick {__version__}")
        raise typer.Exit


@app.callback()
def tally(
    database: Annotated[
        str | None,
        typer.Option(
            envvar="TALLY_DATABASE",
            metavar="NAME",
            help="Work in this database of the server, the demo's for example, not in the book.",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - answered by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Supply chain finance: trade data into limits, limits into money, money into closed books."""
    if database:
        os.environ["TALLY_DATABASE"] = database


def main() -> None:
    """Run one command and end the process: 0 done, 1 not clean, 2 refused, 130 interrupted."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        typer.main.get_command(app)(prog_name="tally")
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(REFUSED)
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _interrupted()
        raise
    except Exception:
        # The plain traceback shows no variables, so neither passwords nor anybody's data.
        traceback.print_exc()
        print("This is a fault in tallystick, not in what you asked for.", file=sys.stderr)
        sys.exit(1)


def _interrupted() -> NoReturn:
    print("Interrupted. What was committed stays; nothing is half done.", file=sys.stderr)
    sys.exit(INTERRUPTED)


def _terminated(_signal: int, _frame: object) -> NoReturn:
    # An ordinary end, so that the lease on the database is handed back.
    sys.exit(TERMINATED)


if __name__ == "__main__":
    main()
