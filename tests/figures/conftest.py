import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def results() -> pd.DataFrame:
    """Four measured panoramas whose centroid is at 25 nuclei and 70 grey levels, and one without a nucleus."""
    return pd.DataFrame(
        {
            "image": [f"Run{run}TL_top_left.tif" for run in (1, 2, 3, 4, 5)],
            "num_rois": [10, 20, 30, 40, 0],
            "mean_intensity": [60.0, 50.0, 80.0, 90.0, np.nan],
            "std_intensity": [11.0, 22.0, 33.0, 44.0, np.nan],
        }
    )
