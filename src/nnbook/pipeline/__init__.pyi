from .editions import run, run_published

__all__ = ["run", "run_published"]
