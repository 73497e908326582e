"""Small tables, written as people write them."""

import random

from study.workloads.table import TableOptions, read_table

ROWS = 120


def numbers(seed=0, rows=ROWS):
    """Pairs of normal numbers with three decimals."""
    generator = random.Random(seed)
    return [(round(generator.gauss(0, 1), 3), round(generator.gauss(0, 1), 3)) for _ in range(rows)]


def write_table(path, header, rows, encoding="utf-8"):
    """Write lines of text; returns the path."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
    return path


def read(path, target="y", split_seed=0, **options):
    return read_table(path, TableOptions(target, **options), split_seed)
