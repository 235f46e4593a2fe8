from .datasets import DataSet, choose_datasets, datasets_csv, find_dataset, known_datasets, read_datasets
from .guide import Question, known_guide, read_guide
from .methods import Method, count_methods, known_methods, read_methods

__all__ = [
    "DataSet",
    "Method",
    "Question",
    "choose_datasets",
    "count_methods",
    "datasets_csv",
    "find_dataset",
    "known_datasets",
    "known_guide",
    "known_methods",
    "read_datasets",
    "read_guide",
    "read_methods",
]
