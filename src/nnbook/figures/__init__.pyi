from .cells import NO_CELLS, by_run, cell_sheet, mosaic_sheet, nuclei_plane
from .choosing import contradictions, counts_table, datasets_table, methods_plot, scorecard_table
from .conditions import conditions_plot, differences_table, replicates_table
from .count_brightness import scatter, scatter_static
from .denoising import denoising_crops, denoising_row, denoising_table, structure_table
from .mitosis import NO_PAIRS, collect_pairs, pairs_sheet
from .own_images import images_table, masks_table, outcomes_table, own_numbers
from .panoramas import NO_IMAGES, channels_sheet, contact_sheet, opening_sheet
from .readers import (
    read_appearance,
    read_cases,
    read_drawn_cases,
    read_history,
    read_mask_records,
    read_opening,
    read_panels,
    read_replicates,
)
from .realism import NOT_SIMULATED, look, realism_table
from .reproduction import area_numbers, experiments_numbers, recomputed, reproduction_table, results_numbers
from .segmentation import (
    NO_TRUTH,
    cases_table,
    found_diameters,
    hard_cases,
    left_out_table,
    reliability,
    scores_table,
    settings_curves,
    speed_table,
    training_curve,
)
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
    "channels_sheet",
    "collect_pairs",
    "conditions_plot",
    "contact_sheet",
    "contradictions",
    "counts_table",
    "datasets_table",
    "denoising_crops",
    "denoising_row",
    "denoising_table",
    "differences_table",
    "experiments_numbers",
    "faults_table",
    "found_diameters",
    "hard_cases",
    "images_table",
    "left_out_table",
    "look",
    "masks_table",
    "methods_plot",
    "mosaic_sheet",
    "nuclei_plane",
    "opening_sheet",
    "outcomes_table",
    "own_numbers",
    "pairs_sheet",
    "picture",
    "read_appearance",
    "read_cases",
    "read_drawn_cases",
    "read_history",
    "read_mask_records",
    "read_opening",
    "read_panels",
    "read_replicates",
    "realism_table",
    "recomputed",
    "reliability",
    "replicates_table",
    "representatives_table",
    "reproduction_table",
    "results_numbers",
    "scatter",
    "scatter_static",
    "scorecard_table",
    "scores_table",
    "settings_curves",
    "speed_table",
    "structure_table",
    "training_curve",
]
