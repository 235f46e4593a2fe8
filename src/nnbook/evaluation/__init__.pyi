from .baseline import otsu_watershed
from .comparison import CELLPOSE, CLASSICAL, FLOW_THRESHOLDS, compare_methods, vary_settings
from .hard_cases import judge_cases
from .metrics import evaluate, evaluate_folders
from .truth import true_classes

__all__ = [
    "CELLPOSE",
    "CLASSICAL",
    "FLOW_THRESHOLDS",
    "compare_methods",
    "evaluate",
    "evaluate_folders",
    "judge_cases",
    "otsu_watershed",
    "true_classes",
    "vary_settings",
]
