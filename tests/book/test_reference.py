"""The page of the package's public names, made from their docstrings."""

from __future__ import annotations

from pathlib import Path

import yaml

import nnbook
from nnbook.book.reference import REFERENCE, describe, write_reference

PROJECT = Path(__file__).parents[2]


def area(width: float, height: float = 1.0, *, scales: tuple[float, ...] = (0.5, 1.0), **others: str) -> float:
    """Return an area of <b> $ for *all*; `a$b` is code.

    Parameters
    ----------
    width, height : float
        In um, such as:

        - 1;
        - 2.
    **others
        Passed over.

    Returns
    -------
    float
        In um2.

    Raises
    ------
    NnbookError
        Never.

    Examples
    --------
    >>> area(2)
    2.0
    """
    return width * height * len(scales) * bool(others)


def test_a_docstring_becomes_a_section() -> None:
    assert (
        describe("area", area)
        == r"""(api-area)=
## area

```python
nnbook.area(width, height=1.0, *, scales=(0.5, 1.0), **others)
```

Return an area of \<b> \$ for \*all\*; `a$b` is code.


**Parameters**

`width, height` float
: In um, such as:

  - 1;
  - 2.

`**others`
: Passed over.


**Returns**

`float`
: In um2.


**Raises**

`NnbookError`
: Never.


**Examples**

```python
>>> area(2)
2.0
```
"""
    )


def test_a_long_signature_has_a_line_for_each_parameter() -> None:
    text = describe("a_name_that_is_longer_than_any_other_name_of_the_package", area)
    assert "    height=1.0,\n    *,\n    scales=(0.5, 1.0),\n    **others,\n)" in text


def test_the_page_has_every_public_name_with_parameters_and_examples(tmp_path: Path) -> None:
    write_reference(tmp_path / REFERENCE)
    text = (tmp_path / REFERENCE).read_text(encoding="utf-8")
    sections = {part.split("\n")[0]: part for part in text.split("\n## ")[1:]}
    assert sections.keys() == set(nnbook.__all__) - {"__version__"}
    assert [name for name, section in sections.items() if "**Examples**" not in section] == []
    assert [name for name, section in sections.items() if "**Parameters**" not in section] == ["NnbookError"]


def test_the_book_has_the_page() -> None:
    toc = yaml.safe_load((PROJECT / "myst.yml").read_text(encoding="utf-8"))["project"]["toc"]
    children = [child["file"] for entry in toc for child in entry.get("children", [])]
    assert f"build/book/{REFERENCE}" in children
