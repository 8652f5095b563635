"""The folder of Parquet files that a job writes, which is its checkpoint too.

A file counts once it is whole: what was cut by a crash is deleted, and done again. Beside the files
stands what they hang on, so that results of two models never come into one folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet as pq
from pyarrow import fs

from localmix.errors import ConfigError

_FORM = "localmix results 1"
# Readers of Parquet leave out what begins so.
_LABEL = "_localmix.json"


@dataclass(frozen=True)
class Results:
    """The results of a job.

    Args:
        path: The folder: a path, or an address such as `s3://bucket/folder`.
        id_column: Column of values that tell rows apart.
    """

    path: str
    id_column: str

    def label(self) -> dict[str, Any] | None:
        """Read what the results hang on; `None` where there are none yet.

        Raises:
            ConfigError: What is there is no label.
        """
        files, place = self._files()
        try:
            with files.open_input_stream(place) as file:
                told = json.loads(file.read())
        except FileNotFoundError:
            return None
        except ValueError:
            told = None
        if not isinstance(told, dict) or told.get("form") != _FORM:
            raise ConfigError(f"{place} is no label of this version of localmix.")
        return told

    def begun(self, facts: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give what was known of the model when this job began; `None` if it has not.

        Raises:
            ConfigError: There are results of another job.
        """
        told = self.label()
        if told is None:
            return None
        if told["facts"] != facts:
            raise ConfigError(
                f"The results in {self.path} are of another job: {told['facts']}, not {facts}.",
                hint="Take another folder, or ask for the same as before.",
            )
        model: dict[str, Any] = told["model"]
        return model

    def begin(self, facts: Mapping[str, Any], model: Mapping[str, Any]) -> None:
        """Write down what the results hang on.

        Raises:
            ConfigError: The folder has files of which nobody knows that.
        """
        files, place = self._files()
        files.create_dir(place.rpartition("/")[0], recursive=True)
        if self._names():
            raise ConfigError(
                f"{self.path} holds files that are no results of localmix.",
                hint="Take an empty folder.",
            )
        with files.open_output_stream(place) as file:
            file.write(json.dumps({"form": _FORM, "facts": facts, "model": model}).encode())

    def done(self) -> pa.Array:
        """Give the ids of the rows that are done, once what is not whole has been deleted.

        Raises:
            ConfigError: The results have no such column.
        """
        files, _ = self._files()
        names = self._names()
        whole = [name for name in names if _is_whole(files, name)]
        for name in set(names) - set(whole):
            files.delete_file(name)
        if not whole:
            return pa.array([])
        told = pyarrow.dataset.dataset(whole, filesystem=files, format="parquet")
        if self.id_column not in told.schema.names:
            raise ConfigError(f"The results in {self.path} have no column {self.id_column!r}.")
        return pc.unique(told.to_table([self.id_column]).column(0))

    def _names(self) -> list[str]:
        """List the files of the folder."""
        files, place = self._files()
        found = files.get_file_info(fs.FileSelector(place.rpartition("/")[0]))
        return [each.path for each in found if each.path.endswith(".parquet")]

    def _files(self) -> tuple[fs.FileSystem, str]:
        """Give the file system, and the place of the label in it."""
        address = self.path if "://" in self.path else Path(self.path).absolute().as_uri()
        files, folder = fs.FileSystem.from_uri(address)
        return files, f"{folder.rstrip('/')}/{_LABEL}"


def _is_whole(files: fs.FileSystem, name: str) -> bool:
    """Tell whether a file has its end, which is written last."""
    try:
        pq.read_metadata(name, filesystem=files)
    except pa.ArrowInvalid:
        return False
    return True
