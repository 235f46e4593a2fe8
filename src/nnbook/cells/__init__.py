"""Cells: single-cell images, from the cut to the store, the sample and the export."""
