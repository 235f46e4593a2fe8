from .cells import by_run, cell_sheet, mosaic_sheet
from .count_brightness import scatter, scatter_static
from .mitosis import pairs_sheet
from .panoramas import contact_sheet
from .reproduction import reproduction_table
from .segmentation import cases_table, hard_cases, scores_table, settings_curves, speed_table, training_curve
from .style import picture
from .tables import cells_table, representatives_table

__all__ = [
    "by_run",
    "cases_table",
    "cell_sheet",
    "cells_table",
    "contact_sheet",
    "hard_cases",
    "mosaic_sheet",
    "pairs_sheet",
    "picture",
    "representatives_table",
    "reproduction_table",
    "scatter",
    "scatter_static",
    "scores_table",
    "settings_curves",
    "speed_table",
    "training_curve",
]
