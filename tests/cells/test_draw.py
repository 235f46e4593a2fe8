"""The thumbnails of the cells that a view shows first."""

from itertools import islice

from nnbook.cells.draw import draw_cells, draw_per_run, random_words

RUNS = [
    {"run": 1, "first": 0, "cells": 1000},
    {"run": 2, "first": 1000, "cells": 3},
    {"run": 4, "first": 1003, "cells": 500},
]


def test_cells_are_those_that_the_browser_draws() -> None:
    """`widgets/cells/draw.test.ts` has the same numbers."""
    assert list(islice(random_words(1), 4)) == [2677044200, 355546957, 1053930227, 1322709710]
    assert draw_cells(1_061_277, 10_000, 7)[:6] == [505996, 858168, 533106, 405880, 65311, 596614]
    assert draw_cells(5, 10_000, 7) == [4, 0, 3, 1, 2]
    assert draw_per_run(RUNS, 4, 7) == [919, 676, 18, 448, 1002, 1001, 1000, 1025, 1075, 1136, 1049]


def test_no_cell_is_drawn_twice() -> None:
    drawn = draw_cells(20_000, 10_000, 3)
    assert len(set(drawn)) == 10_000
    assert set(drawn) <= set(range(20_000))
