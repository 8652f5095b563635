"""Any number of texts on many machines, with Ray Data (extra `ray`).

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

# How many nodes there are, and what each has, is Ray's to know.
Actors = int | tuple[int, int] | None


def embed(
    dataset: ray.data.Dataset,
    *,
    column: str,
    into: str = "vector",
    client: Client | None = None,
    path: str | None = None,
    id_column: str | None = None,
    rows: int = 2048,
    actors: Actors = None,
    actor_options: Mapping[str, Any] | None = None,
    **options: Unpack[EmbedOptions],
) -> ray.data.Dataset:
    """Add a column with the vector of each text, made by actors that each hold a client.

        vectors = localmix.ray.embed(
            ray.data.read_parquet("s3://library/pages"),
            column="text", model="nomic-embed-text", path="s3://library/vectors", id_column="id",
        )

    The model is asked once before anything else, so a name that nobody knows is told at once; each
    actor compares the vector of the same text before it begins.

    Args:
        dataset: The rows.
        column: Where their texts are.
        into: The new column: 32-bit numbers, or nothing where `skip_bad` set a text aside; then
            the column `reason` says why.
        client: What each actor makes its own client of: settings given to it count everywhere,
            the others are read on each node, and so are tokens. Without one, `Client()`.
        path: A folder for Parquet files, which every node reaches. With it the work is done before
            this returns, and the same call goes on where it was broken off. Without it Ray does the
            work when it needs the rows.
        id_column: Column of values that tell rows apart, so that none is done again; wanted with
            `path`.
        rows: How many rows an actor takes at once; they are written to one file, and done again if
            their node is lost.
        actors: How many there are, or the fewest and the most; else as many as Ray has room for.
        actor_options: What Ray should know of an actor, such as `num_cpus` or `resources`.
        **options: As for `Client.embed_many`. Without `model` it is the best that one node finds,
            on all of them.

    Raises:
        ConfigError: An argument is wrong, or the folder holds other results.
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
    actors: Actors = None,
    actor_options: Mapping[str, Any] | None = None,
    **options: Unpack[ChatOptions],
) -> ray.data.Dataset:
    """Add a column with a model's answer to a prompt made of each row.

        titles = localmix.ray.generate(pages, prompt="A title for this: {text}", model="qwen3:8b")

    Args:
        dataset: The rows.
        prompt: A text with the names of columns in braces, or what makes a conversation of a row.
        into: The new column; nothing where `skip_bad` set a row aside.
        client: As for `embed`.
        path: As for `embed`.
        id_column: As for `embed`.
        rows: As for `embed`.
        concurrency: How many requests each actor has on their way.
        skip_bad: Whether a row is set aside whose prompt is too long for the model, or whose answer
            is not in the form asked for; the column `reason` says why. Otherwise it is an error.
        actors: As for `embed`.
        actor_options: As for `embed`.
        **options: As for `Client.chat`. What is written is the answer's text.

    Raises:
        ConfigError: An argument is wrong, or the folder holds other results.
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
