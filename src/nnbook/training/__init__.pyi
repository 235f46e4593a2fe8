from .loop import TrainingSettings, train

__all__ = ["TrainingSettings", "train"]
