"""What functions take as a path."""

from __future__ import annotations

import os

PathLike = str | os.PathLike[str]
"""A file or folder as a caller names it. Each public function makes a `Path` of it, once, at its beginning."""
