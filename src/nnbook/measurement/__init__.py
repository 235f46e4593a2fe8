"""Measurement: ROIs, results, the imaged area, and the panoramas nearest the centroid."""
