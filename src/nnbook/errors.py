"""The one exception that a user of nnbook is meant to read."""


class NnbookError(Exception):
    """Something that the user can mend: one line that names the thing, what is wrong with it, and what to do.

    The command line prints the line and exits with status 1; every other exception is a defect of nnbook.
    """
