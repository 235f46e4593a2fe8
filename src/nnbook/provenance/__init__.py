"""Provenance: what each output was made from, and whether it is up to date."""
