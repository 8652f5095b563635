"""What each catalogue means by names that leave something out: data, no rules.

What is not known for certain does not stand here, and is then joined with nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one catalogue means by its names.

    Attributes:
        plain: What a name of these words was trained to, if it does not say. The entry with the
            most words counts: `qwen 3 coder` before `qwen 3`. Empty: nothing that needs a word.
        names: Names that stand for one certain model, and what its makers call it.
        words: What words in a tag mean; empty ones mean nothing.
        unclear: Repositories whose plain tags, and tags that by themselves, have moved from one
            model to another: the name does not tell which one a server has.
    """

    plain: Mapping[str, str]
    names: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()


def _each(meaning: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, meaning)


# ollama.com/library. A tag with a quantization in it stays what it was, one without may be moved.
OLLAMA = Catalogue(
    plain=_each(
        "instruct",
        *("llama", "gemma", "mistral", "mixtral", "phi", "granite", "codellama", "smollm", "olmo"),
        *("falcon", "command", "exaone", "qwen 2", "qwen 2.5", "qwen 3 coder", "deepseek coder"),
        *("nemotron mini", "codegemma", "rnj"),
    )
    | _each("chat", "llama 2", "qwen 1.5", "yi", "internlm", "deepseek llm")
    | _each("", "exaone deep"),
    names={
        "deepseek-r1:1.5b": "deepseek-r1-distill-qwen-1.5b",
        "deepseek-r1:7b": "deepseek-r1-distill-qwen-7b",
        "deepseek-r1:14b": "deepseek-r1-distill-qwen-14b",
        "deepseek-r1:32b": "deepseek-r1-distill-qwen-32b",
        "deepseek-r1:70b": "deepseek-r1-distill-llama-70b",
        "qwen3:4b-instruct": "qwen3-4b-instruct-2507",
        "qwen3:4b-thinking": "qwen3-4b-thinking-2507",
        "qwen3:30b-instruct": "qwen3-30b-a3b-instruct-2507",
        "qwen3:30b-thinking": "qwen3-30b-a3b-thinking-2507",
        "qwen3:235b-instruct": "qwen3-235b-a22b-instruct-2507",
        "qwen3:235b-thinking": "qwen3-235b-a22b-thinking-2507",
        "granite3.1-moe:1b": "granite-3.1-1b-a400m-instruct",
        "granite3.1-moe:3b": "granite-3.1-3b-a800m-instruct",
        "all-minilm:33m": "all-minilm-l12-v2-33m",
        "granite-embedding:30m": "granite-embedding-30m-english",
        "granite-embedding:278m": "granite-embedding-278m-multilingual",
        "snowflake-arctic-embed:22m": "snowflake-arctic-embed-xs-22m",
        "snowflake-arctic-embed:33m": "snowflake-arctic-embed-s-33m",
        "snowflake-arctic-embed:110m": "snowflake-arctic-embed-m-110m",
        "granite4:7b-a1b-h": "granite-4.0-h-tiny",
        "mistral-small:22b": "mistral-small-22b-instruct-2409",
        "mixtral:8x22b": "mixtral-8x22b-instruct-v0.1",
        "olmo2:13b": "olmo-2-1124-13b-instruct",
        "yi:9b": "yi-1.5-9b-chat",
        "starcoder2:instruct": "starcoder2-15b-instruct-v0.1",
    }
    | _each("all-minilm-l6-v2-22m", "all-minilm", "all-minilm:22m")
    | _each("bge-large-335m-en-v1.5", "bge-large", "bge-large:335m")
    | _each("codestral-22b-v0.1", "codestral", "codestral:22b")
    | _each("command-a-111b-03-2025", "command-a", "command-a:111b")
    | _each("command-r7b-7b-12-2024", "command-r7b", "command-r7b:7b")
    | _each(
        "deepseek-coder-v2-lite-16b-instruct",
        *("deepseek-coder-v2:16b", "deepseek-coder-v2:lite"),
    )
    | _each("deepseek-v2-lite-16b-chat", "deepseek-v2:16b", "deepseek-v2:lite")
    | _each("gemma-3n-e4b-it", "gemma3n", "gemma3n:e4b")
    | _each("deepcoder-14b-preview", "deepcoder", "deepcoder:14b")
    | _each("deepscaler-1.5b-preview", "deepscaler", "deepscaler:1.5b")
    | _each("dolphin3.0-llama3.1-8b", "dolphin3", "dolphin3:8b")
    | _each("glm-4-9b-chat", "glm4", "glm4:9b")
    | _each("hermes-3-llama-3.1-8b", "hermes3", "hermes3:8b")
    | _each("llama-4-scout-17b-16e-instruct", "llama4", "llama4:scout", "llama4:16x17b")
    | _each("llama-4-maverick-17b-128e-instruct", "llama4:maverick", "llama4:128x17b")
    | _each("llama-3.1-nemotron-70b-instruct", "nemotron", "nemotron:70b")
    | _each("mathstral-7b-v0.1", "mathstral", "mathstral:7b")
    | _each("mistral-7b-instruct-v0.3", "mistral", "mistral:7b")
    | _each("mixtral-8x7b-instruct-v0.1", "mixtral", "mixtral:8x7b")
    | _each("mistral-nemo-12b-instruct-2407", "mistral-nemo", "mistral-nemo:12b")
    | _each("mistral-small-24b-instruct-2501", "mistral-small", "mistral-small:24b")
    | _each("mistral-small-3.1-24b-instruct-2503", "mistral-small3.1", "mistral-small3.1:24b")
    | _each("mistral-small-3.2-24b-instruct-2506", "mistral-small3.2", "mistral-small3.2:24b")
    | _each("mxbai-embed-large-335m-v1", "mxbai-embed-large", "mxbai-embed-large:335m")
    | _each("nomic-embed-text-v1.5", "nomic-embed-text")
    | _each("olmo-2-1124-7b-instruct", "olmo2", "olmo2:7b")
    | _each(
        "paraphrase-multilingual-278m-mpnet-base-v2",
        *("paraphrase-multilingual", "paraphrase-multilingual:278m"),
    )
    | _each("phi-3.5-mini-3.8b-instruct", "phi3.5", "phi3.5:3.8b")
    | _each(
        "snowflake-arctic-embed-335m-l",
        *("snowflake-arctic-embed", "snowflake-arctic-embed:335m"),
    )
    | _each(
        "snowflake-arctic-embed-568m-l-v2.0",
        *("snowflake-arctic-embed2", "snowflake-arctic-embed2:568m"),
    )
    | _each("solar-10.7b-instruct-v1.0", "solar", "solar:10.7b")
    | _each("llama-3.1-tulu-3-8b-instruct", "tulu3", "tulu3:8b")
    | _each("tinyllama-1.1b-chat-v1.0", "tinyllama", "tinyllama:1.1b"),
    # `granite3.1-dense` is what its makers call granite-3.1. Some call the base model `text`.
    words={"text": "base", "code": "base", "dense": ""},
    unclear=frozenset(
        {
            # Digests listed by users: qwen3:30b-a3b was 0b28110b7a33, the hybrid model, and is
            # ad815644918f, thinking-2507; qwen3-vl:8b is 901cae732162, the thinking one.
            *("qwen3:4b", "qwen3:30b", "qwen3:30b-a3b", "qwen3:235b", "qwen3:235b-a22b"),
            *("qwen3-vl", "qwen3-next", "qwen"),
            *("deepseek-r1", "deepseek-r1:8b", "deepseek-r1:671b", "deepseek-v3", "deepseek-v2.5"),
            *("gemma", "gemma:instruct", "gemma:7b-instruct", "gemma:2b-instruct", "codegemma"),
            *("phi3", "phi3:mini", "phi3:medium", "command-r", "yi:6b", "yi:34b", "yi"),
            *("devstral", "magistral", "mistral-large", "ministral-3", "mistral:instruct"),
            *("mistral:7b-instruct", "olmo-3", "granite-code", "zephyr", "openchat", "smollm"),
            # Once on Vicuna, now on Mistral; once the base model.
            *("llava", "stable-code"),
        }
    ),
)

# Names of files and repositories on Hugging Face, and so of what LM Studio was given from there:
# with makers who publish both, the plain name is the base model.
HUGGING_FACE = Catalogue(
    plain=_each(
        "base",
        *("llama", "mistral", "mixtral", "codellama", "qwen 1.5", "qwen 2", "qwen 2.5", "gemma"),
        *("codegemma", "smollm", "olmo", "falcon", "yi", "internlm"),
    )
    | _each("instruct", "phi", "llama 3.3", "command", "granite 4", "granite vision", "smollm 3"),
    names={
        "c4ai-command-r-v01": "command-r-v0.1-35b",
        "llama-3.1-tulu-3-8b": "llama-3.1-tulu-3-8b-instruct",
        "mistral-nemo-instruct-2407": "mistral-nemo-12b-instruct-2407",
    },
)

# lmstudio.ai/models, listed as `publisher/name` in small letters. It leaves the training out.
LMSTUDIO = Catalogue(
    plain=_each(
        "instruct",
        *("qwen 2.5 coder", "qwen 2.5 vl", "qwen 3 coder", "qwen 3 2507", "qwen 3 vl"),
        *("qwen 3 next", "gemma", "phi", "llama 3.3", "granite", "seed oss", "rnj"),
    )
    # On Hugging Face google/gemma-2-9b, in small letters too, is the base model.
    | _each("", "gemma 1", "gemma 1.1", "gemma 2"),
    names={"mistral-small-3.2": "mistral-small-3.2-24b-instruct-2506"},
)
# Who has models in LM Studio's catalogue.
LMSTUDIO_PUBLISHERS = frozenset(
    "qwen google meta microsoft mistralai deepseek openai ibm liquid zai-org nvidia allenai"  # noqa: SIM905
    " bytedance essentialai".split()
)
# Whose uploads are the original weights, as they are or quantized. A name from anyone else may be
# a fine-tune under an old name, so it is joined with nothing.
PUBLISHERS = LMSTUDIO_PUBLISHERS | frozenset(
    "library meta-llama deepseek-ai ibm-granite nomic-ai mixedbread-ai baai snowflake"  # noqa: SIM905
    " huggingfacetb coherelabs cohereforai tiiuae liquidai 01-ai thudm moonshotai internlm"
    " lgai-exaone nousresearch upstage intfloat sentence-transformers bytedance-seed"
    " agentica-org deepcogito stabilityai gpustack"
    " lmstudio-community bartowski unsloth mlx-community ggml-org maziyarpanahi thebloke".split()
)
# First words of the names that all three catalogues give to the same makers' models. Another word
# is somebody's own name: that two servers have it says nothing of what is behind it.
FAMILIES = frozenset(
    entry.split()[0] for each in (OLLAMA, HUGGING_FACE, LMSTUDIO) for entry in each.plain
) | frozenset(
    "all aya bespoke bge codestral cogito deepcoder deepscaler devstral dolphin"  # noqa: SIM905
    " embeddinggemma glm gpt hermes lfm llava magistral mathstral ministral mxbai nomic paraphrase"
    " qwq shieldgemma snowflake solar starcoder tinyllama vicuna wizardlm zephyr".split()
)
