"""Training: Cellpose 3 networks from images and masks."""
