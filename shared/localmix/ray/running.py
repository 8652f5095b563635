"""A job on a cluster: a look at the model, then actors that do block after block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import ray
import ray.data
from ray.exceptions import RayTaskError

from localmix import Client
from localmix.errors import ConfigError, LocalMixError
from localmix.ray.identity import Identity
from localmix.ray.results import Results
from localmix.ray.work import Work

_VECTOR, _TEXT = pa.list_(pa.float32()), pa.string()


@dataclass(frozen=True)
class Job:
    """What every actor is told.

    Attributes:
        done: Where the ids of the rows lie that are done already.
    """

    work: Work
    client: Client
    identity: Identity
    results: Results | None = None
    done: ray.ObjectRef | None = None


@dataclass(frozen=True)
class Crew:
    """Who does a job.

    Attributes:
        rows: How many rows one takes at once.
        actors: How many there are, or the fewest and the most.
        options: What Ray should know of each.
    """

    rows: int
    actors: int | tuple[int, int] | None
    options: Mapping[str, Any]

    def look(self, work: Work, client: Client) -> Identity:
        """See, where one of them would be, which model would be asked."""
        task = ray.remote(type(work).look).options(**self.options)
        try:
            found: Identity = ray.get(task.remote(work, client))
        except RayTaskError as error:
            raise _ours(error) from error
        return found

    def mapped(self, dataset: ray.data.Dataset, job: Job) -> ray.data.Dataset:
        """Have it done whenever the rows are wanted."""
        fewest, most = self.actors if isinstance(self.actors, tuple) else (self.actors, self.actors)
        mapped = dataset.repartition(target_num_rows_per_block=self.rows).map_batches(
            Actor,
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=fewest, max_size=most),
            fn_constructor_args=(job,),
            **self.options,
        )
        mapped.context.raise_original_map_exception = True  # ours, as a cause of Ray's
        return mapped


class Actor:
    """A client on some node, and the rows that it is given block by block.

    Ray makes it anew for a long time where its beginning fails; so it begins with its first rows.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._done: frozenset[object] | None = None

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Add what comes of the rows that are not done yet; leave out the others."""
        job = self._job
        if self._done is None:
            self._done = self._begin()
        if job.results and self._done:
            ids = rows.column(job.results.id_column).to_pylist()
            rows = rows.filter(pa.array([each not in self._done for each in ids], pa.bool_()))
        made = job.work.do(job.client, rows) if rows.num_rows else []
        kind = _VECTOR if job.work.gives_vectors else _TEXT
        rows = rows.append_column(job.work.into, pa.array([each.value for each in made], kind))
        if job.work.skip_bad:
            reasons = pa.array([each.reason for each in made], _TEXT)
            rows = rows.append_column("reason", reasons)
        return rows

    def _begin(self) -> frozenset[object]:
        """See that this node is as the job expects; give what is done.

        Raises:
            ConfigError: It does not reach the results.
            ModelChangedError: It has another model.
        """
        job, node = self._job, f"on node {ray.util.get_node_ip_address()}"
        if job.results and job.results.label() is None:
            raise ConfigError(
                f"The folder {job.results.path} {node} is not the one of this job.",
                hint="Take one that all nodes reach: a network file system, or s3://…",
            )
        job.identity.check(job.work.look(job.client), node)
        return frozenset(ray.get(job.done).to_pylist()) if job.done else frozenset()


def run(
    dataset: ray.data.Dataset,
    work: Work,
    client: Client | None,
    path: str | None,
    id_column: str | None,
    *crew: Any,
) -> ray.data.Dataset:
    """Do some work with all rows; see `localmix.ray.embed`."""
    if path and not id_column:
        raise ConfigError(
            "path needs an id_column.", hint="Name the column whose values tell the rows apart."
        )
    client, does = client or Client(), Crew(*crew)
    facts = work.facts()
    if not path or not id_column:
        identity = does.look(work, client)
        return does.mapped(dataset, Job(work.of_model(identity.model), client, identity))
    results = Results(path, id_column)
    begun = results.begun(facts)
    identity = does.look(work, client)
    if begun:
        Identity(**begun).check(identity, "now")
    else:
        results.begin(facts, asdict(identity))
    job = Job(work.of_model(identity.model), client, identity, results, ray.put(results.done()))
    try:
        does.mapped(dataset, job).write_parquet(path)
    except RayTaskError as error:
        raise _ours(error) from error
    return ray.data.read_parquet(path)


def _ours(error: RayTaskError) -> Exception:
    """Give the error of ours that Ray tells of, if it is one."""
    return error.cause if isinstance(error.cause, LocalMixError) else error
