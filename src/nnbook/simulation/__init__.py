"""Simulation: the virtual microscope that draws panoramas with their true masks."""
