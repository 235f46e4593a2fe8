"""The pipeline: every stage of an edition that is not up to date."""
