"""The book: its site, its printed forms, its record, and the check of its text."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
