"""Read model names, and tell which two name the same model.

Ollama writes `qwen2.5:7b`, LM Studio `qwen2.5-7b-instruct` or `qwen/qwen3-8b@q4_k_m`. A name is
read into facts (family, version, size, variant words, quantization), and two names are the same
model only if every fact that tells models apart is known on both sides and equal. Nothing is
guessed: another size, version or variant is another model, and what a name leaves out counts only
where the catalogue that it comes from is known to mean one thing by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from localmix.types.catalogues import (
    FAMILIES,
    HUGGING_FACE,
    LMSTUDIO,
    LMSTUDIO_PUBLISHERS,
    OLLAMA,
    PUBLISHERS,
    Catalogue,
)

# No name of a model is longer, and none of what is longer is read: expressions would take long.
_LONGEST = 512
_HOSTS = re.compile(r"^(?:https?://)?(?:registry\.ollama\.ai|hf\.co|huggingface\.co)/")
_QUANTIZATION = re.compile(
    r"(?:^|[-:@._])((?:ud-)?i?q[1-8](?:_(?:k|0|1|nl|xs|xxs|s|m|l|xl))*|bf16|fp?16|fp?32|fp8|int[48]"
    r"|[2-8]bit|mxfp4|nvfp4|dwq)(?=$|[-:.])"
)
# How makers call what only embeds: many say so, the others are families that do nothing else.
_EMBEDS = re.compile(
    r"(?<![a-z])embed(?:s|der|ding|dings|dinggemma)?(?![a-z])|minilm|text2vec"
    r"|(?<![a-z0-9])(?:bge|e5|gte|gtr|m3e|labse|mpnet|stella|contriever|paraphrase-multilingual"
    r"|instructor-(?:base|large|xl))(?![a-z0-9])"
)
# What always thinks, with templates that open the thought themselves. `non-thinking` does not.
_THINKS = re.compile(
    r"(?<![a-z0-9])(?<!non-)(?<!no-)(?:r1|qwq|z1|think|thinking|(?:open)?thinker|reasoner|reasoning)(?![a-z0-9])"
)
_FIGURE = r"(\d{1,5}(?:\.\d{1,5})?)"
_SIZE = re.compile(rf"^{_FIGURE}([bm])$", re.ASCII)
_ACTIVE = re.compile(rf"^a{_FIGURE}([bm])$", re.ASCII)
_COUNT = re.compile(rf"\s*{_FIGURE}\s*([bm])", re.ASCII)
_NUMBER = re.compile(r"^v?(\d+(?:\.\d+)*)$", re.ASCII)
_NUMBER_FIRST = re.compile(r"^v?\d", re.ASCII)
_NUMBER_AND_LETTERS = re.compile(r"^(\d+(?:\.\d+)*)([ac-ln-z][a-z]*)$", re.ASCII)
_SIZE_WORD = re.compile(r"^(?:e\d+b|\d+x\d+b|\d+e)$", re.ASCII)
_WORD_AND_NUMBER = re.compile(r"^([a-z]+?)(\d+(?:\.\d+)*)([a-z]*)$", re.ASCII)
_PACKAGING = frozenset({"gguf", "ggml", "mlx", "hf", "latest", "meta", "c4ai"})
_SYNONYMS = {"it": "instruct", "pt": "base", "embeddings": "embedding", "embed": "embedding"}
# Words that say what a model was trained to; without one of them a catalogue implies another.
_TRAINING = frozenset({"instruct", "base", "chat", "thinking", "think", "embedding", "python"})
# Two servers count the same weights alike; a name rounds them: 7.6 billion are called 7b, and the
# small ones are far off (0.75 billion are called 0.6b).
_COUNT_TOLERANCE = 0.1
_NAME_TOLERANCE = 0.35
# How much of how many names is compared for likeness.
_COMPARED = 64
_MOST_COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class Identity:
    """What a name says of a model.

    Attributes:
        key: What must be equal: family, versions and dates, variant words.
        size: Parameters in billions, where the name says it.
        active: Active parameters of a mixture of experts, in billions, where the name says it.
        quantization: Where the name says it; empty otherwise.
        is_certain: Whether the name stands for one model of a maker that the catalogues know.
    """

    key: tuple[str, frozenset[str], frozenset[str]]
    size: float | None
    active: float | None
    quantization: str
    is_certain: bool

    def __str__(self) -> str:
        family, versions, words = self.key
        size = "" if self.size is None else f"{self.size:g}b"
        return " ".join(filter(None, (family, *sorted(versions), size, *sorted(words))))


_NOBODY = Identity(
    key=("", frozenset(), frozenset()), size=None, active=None, quantization="", is_certain=False
)


def canonical(name: str) -> str:
    """Write a name as its equals are written: case, Ollama's host, namespace and `:latest`."""
    return _canonical(name) if len(name) <= _LONGEST else name


def identity_of(name: str) -> Identity:
    """Read what a name says."""
    return _identity_of(name) if len(name) <= _LONGEST else _NOBODY


def same_model(one: Identity, other: Identity, one_size: str = "", other_size: str = "") -> bool:
    """Tell whether two names certainly mean the same weights.

    Args:
        one: What the first name says.
        other: What the second name says.
        one_size: What the first one's server says of its size, such as `8.2B`; may be empty.
        other_size: The same for the second.
    """
    if not (one.is_certain and other.is_certain) or one.key != other.key:
        return False
    if one.active and other.active and one.active != other.active:
        return False
    if one.quantization and other.quantization and one.quantization != other.quantization:
        return False
    if any(map(_SIZE_WORD.match, one.key[2])):
        return True  # `8x7b`, `e4b`: the size is a word, and the words are equal
    return _same_size(one.size, _count(one_size), other.size, _count(other_size))


def same_quantization(wanted: Identity, other: Identity, said: str) -> bool:
    """Tell whether a model has the quantization that a name asks for; most names ask for none.

    Args:
        wanted: What the name that was asked for says.
        other: What the other name says.
        said: What the other one's server says, such as `Q4_K_M`.
    """
    have = other.quantization or _quantization(said)
    return not wanted.quantization or wanted.quantization == have


def same_architecture(one: str, other: str) -> bool:
    """Tell whether two servers may mean the same architecture; an empty one says nothing.

    They spell it differently (`qwen25vl`, `qwen2_5_vl`), and one may say more (`gemma3`,
    `gemma3_text`). Mistral's first models are of Llama's architecture.
    """
    left, right = (re.sub(r"[^a-z0-9]", "", each.casefold()) for each in (one, other))
    return left.startswith(right) or right.startswith(left) or {left, right} == {"llama", "mistral"}


def same_count(one: str, other: str) -> bool:
    """Tell whether two servers may mean one number of parameters, such as `8.2B`."""
    left, right = _count(one), _count(other)
    return not (left and right) or _near(left, right, _NAME_TOLERANCE)


def split_pin(name: str) -> tuple[str, str]:
    """Split `ollama/NAME` or `SERVERNAME/NAME` into the pin and the name there.

    LM Studio's own names have slashes too (`openai/gpt-oss-20b`): try the whole name first.
    """
    head, slash, rest = name.partition("/")
    return (head, rest) if slash and head and rest else ("", name)


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Sort the known names, the ones that look like `name` first."""
    names = sorted(set(known))
    # Comparing takes time by the square of the length, and many names are compared.
    heads = {other[:_COMPARED]: other for other in reversed(names[:_MOST_COMPARED])}
    like = canonical(name[:_LONGEST])[:_COMPARED]
    close = [heads[head] for head in get_close_matches(like, heads, n=3, cutoff=0.4)]
    return (*close, *(other for other in names if other not in close))


def looks_like_embedding(name: str) -> bool:
    """Tell whether a name says that the model embeds."""
    plain = canonical(name[:_LONGEST])
    return bool(_EMBEDS.search(plain)) and "rerank" not in plain


def always_thinks(name: str) -> bool:
    """Tell whether a name says that the model begins each answer with a thought."""
    return bool(_THINKS.search(canonical(name[:_LONGEST])))


@lru_cache(maxsize=8192)
def _canonical(name: str) -> str:
    plain = _HOSTS.sub("", name.strip().casefold()).removeprefix("library/")
    return plain.removesuffix(":latest")


@lru_cache(maxsize=8192)
def _identity_of(name: str) -> Identity:
    plain = canonical(name)
    publisher, _, model = plain.rpartition("/")
    quantizations = _QUANTIZATION.findall(model)
    written = _without_maker(_QUANTIZATION.sub("", model).strip("-:@._"))
    bare = written.removeprefix("text-embedding-")  # LM Studio writes it before all that embed
    catalogue = HUGGING_FACE if bare != written else _catalogue(name, publisher, bare)
    facts = _read(catalogue.names.get(bare) or _translated(bare, catalogue))
    if looks_like_embedding(model):
        facts.words = facts.words - {"text"} | {"embedding"}
    if not facts.words & _TRAINING:
        facts.words |= _implied(facts, catalogue)
    is_clear = bool(quantizations) or not _is_unclear(bare, catalogue)
    is_known = publisher in PUBLISHERS if publisher else facts.family in FAMILIES
    return Identity(
        key=(facts.family, frozenset(facts.versions), frozenset(facts.words)),
        size=facts.size,
        active=facts.active,
        quantization=_quantization("-".join(quantizations)),
        is_certain=is_clear and is_known,
    )


def _quantization(said: str) -> str:
    """Write a quantization as its equals are written: `Q4_K_M`, `fp16` and `F16`."""
    return said[:_LONGEST].casefold().replace("_", "-").replace("fp", "f")


def _without_maker(bare: str) -> str:
    """Drop the maker that Bartowski writes before a name: `google_gemma-3-4b-it`."""
    maker, _, rest = bare.partition("_")
    return rest if rest and maker in PUBLISHERS else bare


def _catalogue(name: str, publisher: str, bare: str) -> Catalogue:
    """Tell from which catalogue a name comes."""
    if publisher:
        # LM Studio writes its catalogue in small letters; Hugging Face's names mostly have others.
        is_small = name == name.casefold()
        return LMSTUDIO if is_small and publisher in LMSTUDIO_PUBLISHERS else HUGGING_FACE
    # A number that stands alone is what Ollama's names never have: they glue it on.
    is_glued = not any(map(_NUMBER_FIRST.match, _tokens(bare)))
    return OLLAMA if ":" in bare or is_glued else HUGGING_FACE


def _is_unclear(bare: str, catalogue: Catalogue) -> bool:
    """Tell whether a tag, or every tag of its repository that is but a size, may have moved."""
    repository, _, tag = bare.partition(":")
    is_plain = bare not in catalogue.names and (not tag or bool(_SIZE.match(tag)))
    return bare in catalogue.unclear or (is_plain and repository in catalogue.unclear)


def _translated(bare: str, catalogue: Catalogue) -> str:
    """Write the words of a tag as the makers write them, and drop those that mean nothing."""
    repository, colon, tag = bare.partition(":")
    if not colon:
        return bare
    words = (catalogue.words.get(word, word) for word in tag.split("-"))
    dropped = {word for word, meaning in catalogue.words.items() if not meaning}
    kept = (word for word in repository.split("-") if word not in dropped)
    return f"{'-'.join(kept)}:{'-'.join(words)}"


def _tokens(bare: str) -> list[str]:
    return [token for token in re.split(r"[-_:\s]+", bare) if token and token not in _PACKAGING]


@dataclass(slots=True)
class _Facts:
    """What the words of a name say, one by one."""

    family: str = ""
    versions: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    size: float | None = None
    active: float | None = None


def _read(name: str) -> _Facts:
    facts = _Facts()
    for token in _tokens(name):
        if match := _SIZE.match(token):
            if facts.size is not None:
                facts.words.add(token)
            facts.size = facts.size or _billions(match)
        elif match := _ACTIVE.match(token):
            facts.active = _billions(match)
        elif match := _NUMBER.match(token):
            facts.versions.add(_version(match[1]))
        else:
            word, version, more = _split_word(token)
            facts.versions |= {_version(version)} - {""}
            facts.words |= {_SYNONYMS.get(each, each) for each in (word, more) if each}
            facts.family = facts.family or word
    facts.words -= {facts.family, "v"}
    if any(word.endswith("e") and _SIZE_WORD.match(word) for word in facts.words):
        # `17b-16e`: 16 experts, and 17 billion of what they hold are active.
        facts.size, facts.active = None, facts.size
    return facts


def _version(number: str) -> str:
    """Write `4.0` as `4`: makers write both."""
    return number.removesuffix(".0")


def _billions(match: re.Match[str]) -> float:
    return float(match[1]) * (1 if match[2] == "b" else 1e-3)


def _split_word(token: str) -> tuple[str, str, str]:
    """Split `qwen2.5vl` into `qwen`, `2.5`, `vl`; leave `8x7b` and `e4b` as they are."""
    if _SIZE_WORD.match(token):
        return token, "", ""
    if match := _NUMBER_AND_LETTERS.match(token):
        return match[2], match[1], ""
    match = _WORD_AND_NUMBER.match(token)
    return (token, "", "") if not match or match[3] == "b" else (match[1], match[2], match[3])


def _implied(facts: _Facts, catalogue: Catalogue) -> set[str]:
    """Say what the catalogue means by a plain name."""
    said = {facts.family, *facts.versions, *facts.words}
    entries = [
        entry
        for entry in catalogue.plain
        if entry.split()[0] == facts.family and said.issuperset(entry.split())
    ]
    meaning = catalogue.plain[max(entries, key=lambda entry: len(entry.split()))] if entries else ""
    return {meaning} - {""}


def _same_size(
    one: float | None, one_count: float | None, other: float | None, other_count: float | None
) -> bool:
    """Compare sizes by name and by count; one of each side must be known, and none may disagree."""
    for name, count in ((one, one_count), (other, other_count)):
        if name and count and not _near(name, count, _NAME_TOLERANCE):
            return False
    # Quirk (lmstudio 0.4): it lists 1.7B, the size that the name has, where Ollama counts 2.0B.
    is_counted = one_count != one and other_count != other
    if is_counted and one_count and other_count and not _near(one_count, other_count):
        return False
    if one and other:
        return one == other
    left, right = one_count or one, other_count or other
    return bool(left and right and _near(left, right))


def _count(said: str) -> float | None:
    """Read `8.2B` or `494.03M` as billions."""
    match = _COUNT.match(said[:_LONGEST].casefold())
    return _billions(match) if match else None


def _near(one: float, other: float, tolerance: float = _COUNT_TOLERANCE) -> bool:
    return abs(one - other) <= tolerance * max(one, other)
