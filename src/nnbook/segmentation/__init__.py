"""Segmentation: masks of nuclei by a Cellpose 3 network."""
