from .dataset import simulate_manifest, write_dataset, write_panorama
from .panorama import simulate, simulate_panorama

__all__ = ["simulate", "simulate_manifest", "simulate_panorama", "write_dataset", "write_panorama"]
