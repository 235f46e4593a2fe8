from .scorecard import Scorecard, audit, draw_badge

__all__ = ["Scorecard", "audit", "draw_badge"]
