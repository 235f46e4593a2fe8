from .datasets import DataSet, choose_datasets, find_dataset, known_datasets, read_datasets

__all__ = ["DataSet", "choose_datasets", "find_dataset", "known_datasets", "read_datasets"]
