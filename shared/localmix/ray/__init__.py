"""Any number of rows on many machines, with Ray Data (extra `ray`): vectors, and answers.

    vectors = localmix.ray.embed(
        ray.data.read_parquet("s3://library/pages"),
        column="text", model="nomic-embed-text", path="s3://library/vectors", id_column="id",
    )

Actors that each hold a client take block after block. The model is asked once before, so a name
that nobody knows is told at once, and every actor compares its own model with that one. What both
functions take:

* `into`: the new column.
* `client`: what each actor makes its own client of: settings given to it count everywhere, the
  others are read on each node, and so are tokens. Without one, `Client()`.
* `path`: a folder for Parquet files, which every node reaches. With it the work is done before the
  function returns, and the same call goes on where it was broken off. Without it Ray does the work
  when it needs the rows.
* `id_column`: the column of values that tell rows apart; wanted with `path`.
* `rows`: how many rows an actor takes at once; they are written to one file, and done again if
  their node is lost.
* `actors`: how many there are, or the fewest and the most; else as many as Ray has room for.
* `actor_options`: what Ray should know of an actor, such as `num_cpus` or `resources`.
* `model`, among the options of the requests: without one, the best that one node finds, on all.

Ray is imported by the first call. In this room too `import ray` is the library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from localmix.errors import ConfigError
from localmix.types.build import Conversation
from localmix.types.options import ChatOptions, EmbedOptions

if TYPE_CHECKING:
    import ray.data

    from localmix import Client
    from localmix.ray.work import Work

__all__ = ["embed", "generate"]


def embed(
    dataset: ray.data.Dataset,
    *,
    column: str,
    into: str = "vector",
    client: Client | None = None,
    path: str | None = None,
    id_column: str | None = None,
    rows: int = 2048,
    actors: int | tuple[int, int] | None = None,
    actor_options: Mapping[str, Any] | None = None,
    **options: Unpack[EmbedOptions],
) -> ray.data.Dataset:
    """Add the vector of each text of a column, in 32-bit numbers.

    Args are told above; `options` are those of `Client.embed_many`. Where `skip_bad` sets a text
    aside there is no vector, and the column `reason` says why.

    Raises:
        LocalMixError: See `localmix.errors`. What is written stays, and the next call goes on.
    """
    from localmix.ray.work import Vectors

    work = Vectors(into, {"model": None, **options}, bool(options.get("skip_bad")), column)
    return _run(dataset, work, client, path, id_column, rows, actors, actor_options or {})


def generate(
    dataset: ray.data.Dataset,
    *,
    prompt: str | Callable[[dict[str, Any]], Conversation],
    into: str = "answer",
    client: Client | None = None,
    path: str | None = None,
    id_column: str | None = None,
    rows: int = 64,
    concurrency: int = 4,
    skip_bad: bool = False,
    actors: int | tuple[int, int] | None = None,
    actor_options: Mapping[str, Any] | None = None,
    **options: Unpack[ChatOptions],
) -> ray.data.Dataset:
    """Add the text of a model's answer to a prompt, which names columns in braces.

    `prompt` may also make a conversation of a row. Each actor has `concurrency` requests on their
    way. `skip_bad` sets a row aside whose prompt is too long, or whose answer is not in the form
    asked for; the column `reason` says why. `options` are those of `Client.chat`.

    Raises:
        LocalMixError: See `localmix.errors`. What is written stays, and the next call goes on.
    """
    from localmix.ray.work import Answers

    work = Answers(into, {"model": None, **options}, skip_bad, prompt, concurrency)
    return _run(dataset, work, client, path, id_column, rows, actors, actor_options or {})


def _run(dataset: ray.data.Dataset, work: Work, *rest: Any) -> ray.data.Dataset:
    try:
        from localmix.ray.running import run
    except ImportError as error:
        raise ConfigError(
            f"localmix.ray needs {error.name}.", hint='Run: pip install "localmix[ray]"'
        ) from error
    return run(dataset, work, *rest)
