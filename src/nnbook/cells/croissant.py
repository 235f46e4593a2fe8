"""What a store of cells is, for machines: Croissant metadata, which search engines and loaders of data sets read.

`nnbook cells` writes it beside the table, so that it goes wherever the store is copied. It says what the store itself
knows; authors, licence and address are the book's to add, and are in the copy that goes with a site.

References
----------
Croissant 1.1, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nnbook.io.files import sha256
from nnbook.io.parquet import open_parquet

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "croissant.json"

CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification gives: what each of its words means."""

COLUMNS: Final = {
    "cell": "Name of the cell: its panorama's, then ROI and its label there",
    "panorama": "Name of the panorama that the cell was cut from",
    "run": "Number of the experiment",
    "passage": "Passage of the cell line",
    "roi": "Label of the nucleus in the panorama's mask",
    "x_px": "Centroid in the panorama, across, in pixels",
    "y_px": "Centroid in the panorama, down, in pixels",
    "area_um2": "Area of the mask in square micrometres",
    "mean_intensity": "Mean grey level under the mask, of 0 to 255",
    "std_intensity": "Standard deviation of the grey levels under the mask",
    "orientation_deg": "Angle in degrees by which the image was turned, long side across",
    "elongation": "Long side of the minimum-area rectangle of the nucleus over the short one",
    "rim_um": "How far the mask runs beyond the nucleus, in micrometres",
    "class": "Class of the nucleus, from interphase to telophase, where it is known",
    "image_number": "Number of the cell's image in the arrays, from 0",
}


def describe_store(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Return the Croissant metadata of a store of cells.

    Parameters
    ----------
    folder : Path
        The store, whose table is written.
    about : dict
        What its `cells.json` says.

    Returns
    -------
    dict
        JSON-LD of a data set. Its files have paths relative to the folder. The images are a set of files of a Zarr
        array, which Croissant can name but not take apart: the table's column `image_number` has the number of each.
    """
    table = folder / about["table"]
    schema = _schema(table)
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": f"cells of {about['edition']}",
        "description": (
            f"{about['note']} {about['cells']:,} images of single nuclei, {about['cell_px']} x {about['cell_px']} "
            f"pixels of 8 bits, {about['px_per_um']:g} pixels a micrometre, 0 outside the mask; "
            "and a table with a row for each."
        ),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "table",
                "name": table.name,
                "description": "A row a cell, with the number of its image",
                "contentUrl": about["table"],
                "contentSize": f"{table.stat().st_size} B",
                "encodingFormat": "application/x-parquet",  # the name that its loader knows
                "sha256": sha256(table),
            },
            {
                "@type": "cr:FileSet",
                "@id": "images",
                "name": "images",
                "description": f"The Zarr 3 array {about['images']}, axes (cell, y, x), uint8, in its shards",
                "encodingFormat": "application/vnd.zarr+v3",
                "includes": f"{about['images']}/c/**",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "cells",
                "name": "cells",
                "description": "The cells, in order of run, panorama and label",
                "key": {"@id": "cells/cell"},
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"cells/{name}",
                        "name": name,
                        "description": COLUMNS.get(name, name),
                        "dataType": kind,
                        "source": {"fileObject": {"@id": "table"}, "extract": {"column": name}},
                    }
                    for name, kind in schema.items()
                ],
            }
        ],
    }


def _schema(table: Path) -> dict[str, str]:
    """Return Croissant's type of each column of a table."""
    import pyarrow as pa

    with open_parquet(table, "make it again with 'nnbook cells'") as file:
        schema = file.schema_arrow
    return {
        field.name: "sc:Integer"
        if pa.types.is_integer(field.type)
        else "sc:Float"
        if pa.types.is_floating(field.type)
        else "sc:Text"
        for field in schema
    }
