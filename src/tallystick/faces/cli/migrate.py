"""``tally migrate``: make the installation's database ready for this version."""

import typer


def migrate() -> None:
    """Create the tables, or bring them to this version. Make a backup first.

    Without DATABASE_URL it is the embedded database; with it, the database named there, which
    must be empty or ours. Repeating it changes nothing.
    """
    from tallystick.site import databases

    with databases.prepared(verbosity=1) as here:
        typer.echo(f"The database {here.database} is ready.")
