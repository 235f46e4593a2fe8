from .cells import NO_CELLS, by_run, cell_sheet, mosaic_sheet
from .count_brightness import scatter, scatter_static
from .mitosis import NO_PAIRS, collect_pairs, pairs_sheet
from .panoramas import NO_IMAGES, contact_sheet
from .readers import read_appearance, read_cases, read_history, read_panels
from .realism import NOT_SIMULATED, look, realism_table
from .reproduction import area_numbers, recomputed, reproduction_table, results_numbers
from .segmentation import NO_TRUTH, cases_table, hard_cases, scores_table, settings_curves, speed_table, training_curve
from .style import Notice, picture
from .tables import NO_PUBLISHED_TABLE, cells_table, faults_table, representatives_table

__all__ = [
    "NOT_SIMULATED",
    "NO_CELLS",
    "NO_IMAGES",
    "NO_PAIRS",
    "NO_PUBLISHED_TABLE",
    "NO_TRUTH",
    "Notice",
    "area_numbers",
    "by_run",
    "cases_table",
    "cell_sheet",
    "cells_table",
    "collect_pairs",
    "contact_sheet",
    "faults_table",
    "hard_cases",
    "look",
    "mosaic_sheet",
    "pairs_sheet",
    "picture",
    "read_appearance",
    "read_cases",
    "read_history",
    "read_panels",
    "realism_table",
    "recomputed",
    "representatives_table",
    "reproduction_table",
    "results_numbers",
    "scatter",
    "scatter_static",
    "scores_table",
    "settings_curves",
    "speed_table",
    "training_curve",
]
