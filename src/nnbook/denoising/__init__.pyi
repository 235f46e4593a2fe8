from .denoiser import Denoiser, DenoisingSettings, load_denoiser, train_denoiser
from .image import denoise
from .workflow import denoise_files

__all__ = ["Denoiser", "DenoisingSettings", "denoise", "denoise_files", "load_denoiser", "train_denoiser"]
