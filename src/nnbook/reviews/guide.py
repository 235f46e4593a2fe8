"""The guided choice of a method: `guide.yml`, checked, as a tree of questions that also works on paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nnbook.reviews import fields as field
from nnbook.reviews.methods import TASKS, known_methods
from nnbook.values.entries import Entry, entry_problems
from nnbook.values.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nnbook.io.paths import PathLike
    from nnbook.reviews.fields import Check
    from nnbook.reviews.methods import Method

FILE: Final = Path(__file__).with_name("guide.yml")
MOST_DEEP: Final = 12

QUESTION: Final[Mapping[str, Check]] = {"question": field.text, "answers": lambda _: ""}
ANSWER: Final[Mapping[str, Check]] = {
    "answer": lambda value: field.text(_words(value)),
    "because": field.text,
    "source": field.text,
    "task": field.one_of(*TASKS),
    "dimension": field.one_of("2D", "3D"),
    "next": lambda _: "",
    "methods": field.list_of(field.name),
    "this_book": field.entry_of({"fits": field.flag, "because": field.text}, set()),
}


@dataclass(frozen=True)
class Answer:
    """An answer, with what follows from it.

    Attributes
    ----------
    answer, because, source : str
        What one says, why it matters, and who says so.
    next : Question, optional
        What is asked then; None at an end.
    methods : tuple of Method
        At an end, what is advised, best first.
    this_book : bool, optional
        At an end, whether nnbook's own commands are an answer, too.
    this_book_because : str
        Why, or why not.
    """

    answer: str
    because: str
    source: str
    next: Question | None = None
    methods: tuple[Method, ...] = ()
    this_book: bool | None = None
    this_book_because: str = ""


@dataclass(frozen=True)
class Question:
    """A question with its answers: on a page a tree that opens without JavaScript, on paper a table of its ends."""

    question: str
    answers: tuple[Answer, ...]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {**as_table(self)._repr_mimebundle_(), "text/html": as_html(self), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return "\n".join(_lines(self, ""))


@cache
def known_guide() -> Question:
    """Return the guide that comes with the package."""
    return read_guide(FILE)


def read_guide(path: PathLike) -> Question:
    """Read a tree of questions.

    Parameters
    ----------
    path : str or Path
        A YAML file like `guide.yml` beside this module.

    Returns
    -------
    Question
        The first one.

    Raises
    ------
    NnbookError
        With a line for each fault, which has the file's line and the question or answer: an unknown or missing field, a
        question with less than two answers, an answer that is there twice, one that leads to a question and to methods,
        or to neither, and a method that is in no registry, or has not the task or dimension of the answers before.
    """
    path = Path(path)
    content = field.read_registry(path)
    methods = {method.name: method for method in known_methods()}
    field.refuse(path, list(_problems_of_question(content, methods, {}, 1)))
    return _question(content, methods)


def ends(question: Question) -> Iterator[tuple[tuple[str, ...], Answer]]:
    """Return the ends of a tree, each with the answers that lead there."""
    for answer in question.answers:
        if answer.next is None:
            yield (answer.answer,), answer
        else:
            for way, end in ends(answer.next):
                yield (answer.answer, *way), end


def as_table(question: Question) -> Table:
    """List the ends of a tree: the answers that lead there, what is advised, and why."""
    return Table(
        header=("Answers", "Methods", "nnbook", "Because"),
        rows=tuple(
            (
                " / ".join(way),
                ", ".join(method.title for method in end.methods),
                "yes" if end.this_book else "no",
                f"{end.because} ({end.source})",
            )
            for way, end in ends(question)
        ),
    )


def as_html(question: Question) -> str:
    """Draw a tree as nested lists, whose branches are `details` elements: they open without JavaScript.

    Parameters
    ----------
    question : Question
        See `known_guide`.

    Returns
    -------
    str
        HTML without styles, ids or scripts.
    """
    answers = "".join(f"<dd>{_answer_as_html(answer)}</dd>" for answer in question.answers)
    return f"<dl><dt><strong>{escape(question.question)}</strong></dt>{answers}</dl>"


def _answer_as_html(answer: Answer) -> str:
    why = f"<p>{escape(answer.because[:1].upper() + answer.because[1:])}. <small>({escape(answer.source)})</small></p>"
    if answer.next is not None:
        return f"<details><summary>{escape(answer.answer)}</summary>{why}{as_html(answer.next)}</details>"
    advised = ", ".join(map(_linked, answer.methods))
    own = f"<p>nnbook: {'yes' if answer.this_book else 'no'}, {escape(answer.this_book_because)}.</p>"
    summary = f"<summary>{escape(answer.answer)}</summary>"
    return f"<details>{summary}<p><strong>{advised}</strong></p>{why}{own}</details>"


def _linked(method: Method) -> str:
    address = method.address or method.code.address
    title = escape(method.title)
    return f'<a href="{escape(address)}">{title}</a>' if address else title


def _lines(question: Question, indent: str) -> Iterator[str]:
    """Return a tree as text, for paper and for terminals."""
    yield f"{indent}{question.question}"
    for answer in question.answers:
        yield f"{indent}- {answer.answer}: {answer.because} ({answer.source})"
        if answer.next is not None:
            yield from _lines(answer.next, indent + "  ")
            continue
        yield f"{indent}  -> {', '.join(method.title for method in answer.methods)}"
        yield f"{indent}  nnbook: {'yes' if answer.this_book else 'no'}, {answer.this_book_because}"


def _words(answer: Any) -> Any:
    """Return an answer as text: YAML takes a bare Yes or No for a truth value."""
    return {True: "Yes", False: "No"}[answer] if isinstance(answer, bool) else answer


def _problems_of_question(
    entry: Any, methods: Mapping[str, Method], settled: Mapping[str, str], depth: int
) -> Iterator[tuple[int, str, str]]:
    name = str(entry.get("question", "a question"))
    found = entry_problems(entry, QUESTION, set())
    answers = entry.get("answers")
    if not isinstance(answers, list) or len(answers) < 2 or not all(isinstance(one, Entry) for one in answers):
        found.append(
            (entry.lines.get("answers", entry.line), "needs two answers or more; write '- answer: ...' for each")
        )
    if depth > MOST_DEEP:
        found.append((entry.line, f"is the {depth}th question in a row; ask less"))
    if found:
        yield from ((line, name, problem) for line, problem in found)
        return
    said: set[str] = set()
    for answer in answers:
        words = str(_words(answer.get("answer")))
        if words in said:
            yield answer.line, name, f"has the answer {words} twice"
        said.add(words)
        yield from _problems_of_answer(answer, methods, settled, depth)


def _problems_of_answer(
    entry: Entry, methods: Mapping[str, Method], settled: Mapping[str, str], depth: int
) -> Iterator[tuple[int, str, str]]:
    name = str(_words(entry.get("answer", "an answer")))
    found = entry_problems(entry, ANSWER, {"task", "dimension", "next", "methods", "this_book"})
    if ("next" in entry) == ("methods" in entry):
        found.append((entry.line, "leads to 'next', a question, or to 'methods': one of them"))
    if ("methods" in entry) != ("this_book" in entry):
        found.append((entry.line, "needs 'this_book' where it has methods, and only there"))
    if "next" in entry and not isinstance(entry["next"], Entry):
        found.append((entry.lines["next"], "next is no question"))
    if found:
        yield from ((line, name, problem) for line, problem in found)
        return
    settled = {**settled, **{key: entry[key] for key in ("task", "dimension") if key in entry}}
    if "next" in entry:
        yield from _problems_of_question(entry["next"], methods, settled, depth + 1)
    for one in entry.get("methods", ()):
        if (method := methods.get(one)) is None:
            yield entry.lines["methods"], name, f"methods has {one}, which is none of methods.yml"
            continue
        if settled.get("task", method.tasks[0]) not in method.tasks:
            yield entry.lines["methods"], name, f"methods has {one}, which is not for {settled['task']}"
        if method.dimensions is not None and settled.get("dimension", method.dimensions[0]) not in method.dimensions:
            yield entry.lines["methods"], name, f"methods has {one}, which is not for {settled['dimension']}"


def _question(entry: Entry, methods: Mapping[str, Method]) -> Question:
    return Question(entry["question"], tuple(_answer(answer, methods) for answer in entry["answers"]))


def _answer(entry: Entry, methods: Mapping[str, Method]) -> Answer:
    own = entry.get("this_book", {})
    return Answer(
        _words(entry["answer"]),
        entry["because"],
        entry["source"],
        _question(entry["next"], methods) if "next" in entry else None,
        tuple(methods[name] for name in entry.get("methods", ())),
        own.get("fits"),
        own.get("because", ""),
    )
