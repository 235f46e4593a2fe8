from .editions import run

__all__ = ["run"]
