from __future__ import annotations

import pickle

import pytest

from nnbook.errors import InvalidValueError, MissingFileError, NnbookError


def test_a_bad_value_is_a_value_error_that_names_its_parameter() -> None:
    error = InvalidValueError("px_per_um is -1; give a number above 0", parameter="px_per_um")
    with pytest.raises(ValueError, match=r"px_per_um is -1"):
        raise error
    assert isinstance(error, NnbookError)
    assert error.parameters == ("px_per_um",)
    assert InvalidValueError("the image is empty").parameters == ()


def test_a_missing_file_is_a_file_not_found_error() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        raise MissingFileError("a.tif: no such file; check the name")
    assert isinstance(caught.value, NnbookError)
    assert str(caught.value) == "a.tif: no such file; check the name"


def test_errors_come_back_whole_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(InvalidValueError("runs is 0", parameter="runs")))  # noqa: S301 - our own bytes
    assert (str(error), error.parameters) == ("runs is 0", ("runs",))
    assert str(pickle.loads(pickle.dumps(MissingFileError("a: no such file")))) == "a: no such file"  # noqa: S301
