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
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

_HOSTS = re.compile(r"^(?:https?://)?(?:registry\.ollama\.ai|hf\.co|huggingface\.co)/")
# Whose uploads are the original weights, as they are or quantized. A name from anyone else may be
# a fine-tune under an old name, so it is joined with nothing.
_PUBLISHERS = frozenset(
    "library qwen google meta-llama meta mistralai microsoft deepseek-ai deepseek openai ibm"  # noqa: SIM905
    " ibm-granite nvidia nomic-ai mixedbread-ai baai snowflake huggingfacetb coherelabs"
    " cohereforai tiiuae allenai liquidai 01-ai zai-org thudm moonshotai internlm"
    " lmstudio-community bartowski unsloth mlx-community ggml-org maziyarpanahi thebloke".split()
)
_QUANTIZATION = re.compile(
    r"(?:^|[-:@._])((?:ud-)?i?q[1-8](?:_(?:k|0|1|nl|xs|xxs|s|m|l|xl))*|bf16|fp?16|fp?32|fp8|int[48]"
    r"|[2-8]bit|mxfp4|nvfp4|dwq)(?=$|[-:.])"
)
# How makers call what only embeds: BGE, E5, GTE, MiniLM and the many with the word in the name.
_EMBEDS = re.compile(r"embed|(?:^|[/_-])(?:bge|e5|gte)-|minilm")
_SIZE = re.compile(r"^(\d+(?:\.\d+)?)([bm])$")
_ACTIVE = re.compile(r"^a(\d+(?:\.\d+)?)b$")
_NUMBER = re.compile(r"^v?(\d+(?:\.\d+)*)$")
_NUMBER_AND_LETTERS = re.compile(r"^(\d+(?:\.\d+)*)([ac-ln-z][a-z]*)$")
_SIZE_WORD = re.compile(r"^(?:e\d+b|\d+x\d+b)$")
_WORD_AND_NUMBER = re.compile(r"^([a-z]+?)(\d+(?:\.\d+)*)([a-z]*)$")
_PACKAGING = frozenset({"gguf", "ggml", "mlx", "hf", "latest", "meta", "text-embedding"})
_SYNONYMS = {
    "it": "instruct",
    "pt": "base",
    "embeddings": "embedding",
    "embed": "embedding",
}
# Words that say what a model was trained to; without one of them a catalogue implies another.
_TRAINING = frozenset({"instruct", "base", "text", "chat", "thinking", "embedding", "python"})
# Ollama's plain names are the instruction-tuned models of these families (its library pages).
_OLLAMA_MEANS_INSTRUCT = frozenset(
    "llama gemma mistral mixtral phi granite codellama smollm olmo falcon command"  # noqa: SIM905
    " qwen2 exaone".split()
)
# In LM Studio's catalogue a plain name is the instruction-tuned model of these, and, as on Hugging
# Face, the base model of those.
_LMSTUDIO_MEANS_INSTRUCT = frozenset({"gemma", "phi", "llama 3.3"})
_LMSTUDIO_MEANS_BASE = frozenset({"llama", "mistral", "qwen 2", "qwen 2.5"})
# Makers under whom LM Studio's own catalogue lists models (lmstudio.ai/models); there a plain name
# means what it means in Ollama's library (`qwen/qwen2.5-coder-14b`, `ibm/granite-3.2-8b`). The
# same makers' repositories on Hugging Face say `instruct` where they mean it.
_LMSTUDIO_CATALOGUE = frozenset({"qwen", "ibm", "google", "meta", "microsoft", "mistralai"})
# Names in Ollama's library that stand for one certain model. Its deepseek-r1:8b and qwen3:4b have
# stood for two: they are not here.
_OLLAMA_MEANS = {
    "deepseek-r1:1.5b": "deepseek-r1-distill-qwen-1.5b",
    "deepseek-r1:7b": "deepseek-r1-distill-qwen-7b",
    "deepseek-r1:14b": "deepseek-r1-distill-qwen-14b",
    "deepseek-r1:32b": "deepseek-r1-distill-qwen-32b",
    "deepseek-r1:70b": "deepseek-r1-distill-llama-70b",
    "mistral:7b": "mistral-7b-instruct-v0.3",
    "mixtral:8x7b": "mixtral-8x7b-instruct-v0.1",
    "mistral-nemo:12b": "mistral-nemo-instruct-2407-12b",
    "mistral-small3.2:24b": "mistral-small-3.2-24b-instruct-2506",
    "mistral-small3.1:24b": "mistral-small-3.1-24b-instruct-2503",
    "qwen3-coder:30b": "qwen3-coder-30b-a3b-instruct",
    "codestral:22b": "codestral-22b-v0.1",
    "olmo2:7b": "olmo-2-1124-7b-instruct",
    "phi3.5:3.8b": "phi-3.5-mini-instruct-3.8b",
    "deepseek-coder-v2:16b": "deepseek-coder-v2-lite-instruct",
    "yi:9b": "yi-1.5-9b-chat",
    "glm4:9b": "glm-4-9b-chat",
}
_LMSTUDIO_MEANS = {
    "qwen3-coder-30b": "qwen3-coder-30b-a3b-instruct",
    "mistral-small-3.2": "mistral-small-3.2-24b-instruct-2506",
    "mistral-nemo-instruct-2407": "mistral-nemo-instruct-2407-12b",
}
_MOVED = frozenset({"deepseek-r1:8b", "qwen3:4b"})
# Two servers count the same weights alike; a name rounds them: 7.6 billion are called 7b, and the
# small ones are far off (0.75 billion are called 0.6b).
_COUNT_TOLERANCE = 0.1
_NAME_TOLERANCE = 0.35


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold what a name says of a model.

    Attributes:
        key: What must be equal: family, versions and dates, variant words.
        size: Parameters in billions, where the name says it.
        active: Active parameters of a mixture of experts, in billions, where the name says it.
        quantization: Where the name says it; empty otherwise.
        is_certain: Whether the name stands for one model, from a publisher of originals.
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


@lru_cache(maxsize=8192)
def canonical(name: str) -> str:
    """Write a name as its equals are written: case, Ollama's host, namespace and `:latest`."""
    plain = _HOSTS.sub("", name.strip().casefold()).removeprefix("library/")
    return plain.removesuffix(":latest")


@lru_cache(maxsize=8192)
def identity_of(name: str) -> Identity:
    """Read what a name says."""
    plain = canonical(name)
    publisher, _, model = plain.rpartition("/")
    quantization = "-".join(_QUANTIZATION.findall(model))
    bare = _QUANTIZATION.sub("", model).strip("-:@._").removeprefix("text-embedding-")
    is_ollamas = ":" in model or not any(map(_is_number, _tokens(bare)))
    meaning = _OLLAMA_MEANS.get(bare) if is_ollamas else _LMSTUDIO_MEANS.get(bare)
    family, versions, words, size, active = _read(_tokens(meaning or bare))
    if not meaning and not words & _TRAINING:
        is_library = is_ollamas or publisher in _LMSTUDIO_CATALOGUE
        words |= _implied(family, versions, is_library=is_library)
    return Identity(
        key=(family, frozenset(versions), frozenset(words)),
        size=size,
        active=active,
        quantization=quantization.replace("_", "-"),
        is_certain=bare not in _MOVED and (not publisher or publisher in _PUBLISHERS),
    )


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
    have = other.quantization or said.casefold().replace("_", "-")
    return not wanted.quantization or wanted.quantization == have


def same_architecture(one: str, other: str) -> bool:
    """Tell whether two servers may mean the same architecture; an empty one says nothing.

    They spell it differently (`qwen25vl`, `qwen2_5_vl`), and one may say more (`gemma3`,
    `gemma3_text`). Mistral's first models are of Llama's architecture.
    """
    left, right = (re.sub(r"[^a-z0-9]", "", each.casefold()) for each in (one, other))
    return left.startswith(right) or right.startswith(left) or {left, right} == {"llama", "mistral"}


def split_pin(name: str) -> tuple[str, str]:
    """Split `ollama/NAME` or `SERVERNAME/NAME` into the pin and the name there.

    LM Studio's own names have slashes too (`openai/gpt-oss-20b`): try the whole name first.
    """
    head, slash, rest = name.partition("/")
    return (head, rest) if slash and head and rest else ("", name)


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Sort the known names, the ones that look like `name` first."""
    names = sorted(set(known))
    close = get_close_matches(canonical(name), names, n=3, cutoff=0.4)
    return (*close, *(other for other in names if other not in close))


def looks_like_embedding(name: str) -> bool:
    """Tell whether a name says that the model embeds."""
    plain = canonical(name)
    return bool(_EMBEDS.search(plain)) and "rerank" not in plain


def _tokens(bare: str) -> list[str]:
    return [token for token in re.split(r"[-_:\s]+", bare) if token and token not in _PACKAGING]


def _is_number(token: str) -> bool:
    """Tell a number that stands alone, which Ollama's names never have: they glue it on."""
    return bool(_SIZE.match(token) or _NUMBER.match(token))


def _read(
    tokens: list[str],
) -> tuple[str, set[str], set[str], float | None, float | None]:
    versions: set[str] = set()
    words: set[str] = set()
    size: float | None = None
    active: float | None = None
    family = ""
    for token in tokens:
        if match := _SIZE.match(token):
            if size is not None:
                words.add(token)
            size = size or float(match[1]) * (1 if match[2] == "b" else 1e-3)
        elif match := _ACTIVE.match(token):
            active = float(match[1])
        elif match := _NUMBER.match(token):
            versions.add(match[1])
        else:
            word, version, more = _split_word(token)
            versions |= {version} - {""}
            words |= {_SYNONYMS.get(each, each) for each in (word, more) if each}
            family = family or word
    return family, versions, words - {family, "v"}, size, active


def _split_word(token: str) -> tuple[str, str, str]:
    """Split `qwen2.5vl` into `qwen`, `2.5`, `vl`; leave `8x7b` and `e4b` as they are."""
    if match := _NUMBER_AND_LETTERS.match(token):
        return match[2], match[1], ""
    match = _WORD_AND_NUMBER.match(token)
    if not match or match[3] == "b" or _SIZE_WORD.match(token):
        return token, "", ""
    return match[1], match[2], match[3]


def _implied(family: str, versions: set[str], *, is_library: bool) -> set[str]:
    """Say what is meant by a plain name, in a vendor's library or elsewhere."""
    exactly = {family, *(f"{family} {version}" for version in versions)}
    if is_library:
        # From Qwen 3 on a plain name is the hybrid model.
        old_qwen = family == "qwen" and any(version.startswith(("1", "2")) for version in versions)
        return {"instruct"} if old_qwen or family in _OLLAMA_MEANS_INSTRUCT else set()
    if exactly & _LMSTUDIO_MEANS_INSTRUCT:
        return {"instruct"}
    return {"base"} if exactly & _LMSTUDIO_MEANS_BASE else set()


def _same_size(
    one: float | None, one_count: float | None, other: float | None, other_count: float | None
) -> bool:
    """Compare sizes by name and by count; one of each side must be known, and none may disagree."""
    for name, count in ((one, one_count), (other, other_count)):
        if name and count and not _near(name, count, _NAME_TOLERANCE):
            return False
    if one_count and other_count and not _near(one_count, other_count, _COUNT_TOLERANCE):
        return False
    if one and other:
        return one == other
    left, right = one_count or one, other_count or other
    return bool(left and right and _near(left, right, _COUNT_TOLERANCE))


def _count(said: str) -> float | None:
    """Read `8.2B` or `494.03M` as billions."""
    match = re.match(r"^\s*(\d+(?:\.\d+)?)\s*([bm])", said[:32].casefold())
    return float(match[1]) * (1 if match[2] == "b" else 1e-3) if match else None


def _near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(one, other)
