"""Evaluation: predicted masks against true ones."""
