"""The Hugging Face Hub: cell images from there and to there."""
