"""The living publication of NucleusNet: simulate, segment, measure and show panoramas of cell nuclei."""

__version__ = "0.1.0"
