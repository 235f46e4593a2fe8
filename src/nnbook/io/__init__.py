"""Files: images, masks, the manifest, the results table, and the folder of an edition."""
