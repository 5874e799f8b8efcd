"""Real data sets that can be replayed: their files, and where they can be had."""

from dataclasses import dataclass
from pathlib import Path

from tallystick.rules.refusal import Refusal


@dataclass(frozen=True, slots=True)
class DataSet:
    """A set that lies in its own folder; ``mapping`` is the preset that reads its ``files``."""

    name: str
    mapping: str
    files: tuple[str, ...]
    origin: str


SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            name="cumcm2020c",
            mapping="cumcm2020c",
            files=("invoices_out_credit.parquet", "invoices_out_nocredit.parquet"),
            origin=(
                "China Undergraduate Mathematical Contest in Modeling 2020, problem C, attachments"
                " 1 and 2: the sheets of sales invoices (销项发票信息), saved as Parquet"
            ),
        ),
        DataSet(
            name="ibm_ar",
            mapping="ibm_ar",
            files=("invoices.parquet",),
            origin=(
                "IBM Watson Analytics sample WA_Fn-UseC_-Accounts-Receivable.csv, saved as Parquet"
                " with its dates as dates"
            ),
        ),
        DataSet(
            name="olist",
            mapping="olist",
            files=("orders.parquet", "order_items.parquet"),
            origin=(
                "Olist, Brazilian E-Commerce Public Dataset (Kaggle, CC BY-NC-SA 4.0): the tables"
                " of orders and order items, saved as Parquet"
            ),
        ),
    )
}


class UnknownSet(Refusal):
    """There is no set of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no data set {name!r}; there are: {', '.join(SETS)}")


class SetNotFound(Refusal):
    """The data of a set are not where they were looked for."""


def find_set(name: str, *, data: Path | None, environment_data: str | None) -> list[Path]:
    """The files of a set, below ``data``, else below the environment's TALLY_DATA.

    Either is a folder that holds the set's files, or a folder named like the set that does.
    Raises UnknownSet, and SetNotFound naming both places and where the set can be had.
    """
    if name not in SETS:
        raise UnknownSet(name)
    data_set = SETS[name]
    given = data or (Path(environment_data) if environment_data else None)
    if given is not None:
        for folder in (given / name, given):
            paths = [folder / file for file in data_set.files]
            if all(path.is_file() for path in paths):
                return paths
    looked = f"{given} has no {' and '.join(data_set.files)}" if given else "neither is given"
    raise SetNotFound(
        f"The data of {name} are looked for in the folder --data names, else in the one the "
        f"environment's TALLY_DATA names: {looked}. The product ships no data; this set can be "
        f"had as: {data_set.origin}."
    )
