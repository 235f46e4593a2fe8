"""Viewers: Deep Zoom tiles, and the widgets that show them."""
