"""The book: its site, its printed forms, its record, and the check of its text."""
