"""What the published NucleusNet work states: cited values, to stand beside recomputed ones and never in their place."""

from __future__ import annotations

SINGLE_CELL_IMAGES = 1_061_277
PANORAMAS = 1_600
EXPERIMENTS = 100
PASSAGES = 21
ROIS_IN_TABLE = 1_111_184
TOTAL_AREA_PX2 = 241_083_171_855
TOTAL_AREA_CM2 = 37.25
SQUARE_SIDE_CM = 6.1
MEAN_SIDE_MM = 1.5
MEAN_PANORAMA_MM2 = 2.3
PX_PER_UM = 8.0453
CELL_IMAGE_PX = 256
NUCLEUSNET_10K_IMAGES = 10_000
IMAGES_PER_EXPERIMENT_IN_10K = 100

DIAMETER_PX = 152.91
FLOW_THRESHOLD = 0.5
CELLPROB_THRESHOLD = -2.0

REPRESENTATIVES = 10

RESULTS_ADDRESS = (
    "https://raw.githubusercontent.com/RussellBarkley/cell_browser/"
    "12322ab9f7158391e1b251157ea707dc4ada91c2/data/nucleus-ae/results.csv"
)
"""The released table: a row a panorama, CC-BY-4.0."""

RESULTS_SHA256 = "6132844b8275f5913512e733b3f4cf4238d03b37004d4ddc715b37706888c851"
