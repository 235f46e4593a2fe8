"""Figures: each takes a table or arrays and returns a figure in the book's style."""
