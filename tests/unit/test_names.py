"""Names: which two are certainly the same model. No false join; hardly any that is missed."""
# ruff: noqa: E501
# A table.

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localmix.types.names import (
    always_thinks,
    canonical,
    identity_of,
    looks_like_embedding,
    nearest,
    same_model,
    same_quantization,
    split_pin,
)
from tests.unit.model_names import CHATS, EMBEDS, MAY_THINK, MODELS, THINKERS, rows

# A size, a version or a variant off by one, and names that have moved from one model to another:
# the closest that names come without being certainly the same. The first | those that it is not.
_HOSTILE = """
llama3.1:8b | qwen/qwen3-8b meta-llama-3-8b-instruct meta-llama-3.1-8b llama-3.1-8b llama-3.1-nemotron-nano-8b-v1 hermes-3-llama-3.1-8b llama-3.1-8b-instruct-abliterated meta-llama-3.1-8b-instruct-abliterated deepseek-r1-distill-llama-8b dolphin3.0-llama3.1-8b llama-3.1-tulu-3-8b llama-3.1-8b-ultralong-1m-instruct llama-guard-3-8b llama-3.1-8b-lexi-uncensored-v2
mistral:7b | qwen2.5-7b-instruct mistral-7b-instruct-v0.1 mistral-7b-instruct-v0.2 mistral-7b-v0.3 mathstral-7b-v0.1 zephyr-7b-beta mistral-7b-openorca openhermes-2.5-mistral-7b dolphin-2.6-mistral-7b ministral-8b-instruct-2410 nous-hermes-2-mistral-7b-dpo
qwen3:32b | qwen/qwen3-8b qwen/qwq-32b qwen2.5-32b-instruct qwen/qwen3-30b-a3b qwen/qwen3-vl-32b
gemma3:27b | google/gemma-3-4b
deepseek-r1:8b | qwen/qwen3-8b deepseek-r1-distill-llama-8b deepseek/deepseek-r1-0528-qwen3-8b meta-llama-3.1-8b-instruct
qwen3:4b | qwen/qwen3-4b qwen/qwen3-4b-2507 qwen/qwen3-4b-thinking-2507 qwen3-4b-instruct-2507 qwen3-4b
granite3.3:2b | qwen2.5-7b-instruct
qwen3:30b | qwen/qwen3-30b-a3b-instruct-2507 qwen/qwen3-30b-a3b qwen/qwen3-30b-a3b-2507 qwen3-30b-a3b-thinking-2507 qwen/qwen3-coder-30b qwen3-30b-a3b qwen/qwen3-32b
qwen3:8b-q4_K_M | qwen/qwen3-8b@q8_0 qwen3-8b@q5_k_m qwen3-8b-mlx-8bit qwen/qwen3-8b@4bit
qwen2.5:7b | qwen2.5-7b qwen2.5-coder-7b-instruct qwen2.5-vl-7b-instruct qwen2.5-math-7b-instruct qwen2-7b-instruct qwen2.5-7b-instruct-1m deepseek-r1-distill-qwen-7b qwen2.5-7b-instruct-uncensored qwen2.5-omni-7b qwen/qwen2.5-vl-7b
llama3:8b | meta-llama-3-8b llama-3-8b-instruct-gradient-1048k llama3-chatqa-1.5-8b llama-3-groq-8b-tool-use
llama3.2:3b | llama-3.2-1b-instruct llama-3.2-3b llama-3.2-3b-instruct-uncensored llama-3.2-3b-instruct-abliterated Meta-Llama/Llama-3.2-3B llama-3.2-3b-instruct-tool
llama3.2:1b | llama-guard-3-1b llama-3.2-1b
llama3.2-vision:11b | llama-3.2-11b-vision llama-3.2-3b-instruct llama-guard-3-11b-vision
llama3.3:70b | meta-llama-3.1-70b-instruct deepseek-r1-distill-llama-70b llama-3.3-nemotron-super-49b-v1 llama-3.3-70b-instruct-abliterated llama-3.1-nemotron-70b-instruct
llama2:7b | llama-2-7b llama-2-13b-chat codellama-7b-instruct llama2-uncensored-7b llama-2-7b-chat-uncensored llama-2-7b-32k-instruct
llama2-uncensored:7b | llama-2-7b-chat
llama4:scout | llama-4-maverick-17b-128e-instruct llama-4-scout-17b-16e
codellama:7b | codellama-7b codellama-7b-python codellama-13b-instruct llama-2-7b-chat
codellama:7b-code | codellama-7b-instruct codellama-7b-python
codellama:70b | codellama-70b codellama-70b-python
qwen2.5:14b | qwen2.5-14b-instruct-1m qwen2.5-coder-14b-instruct qwen/qwen2.5-coder-14b qwen2.5-14b
qwen2.5-coder:7b | qwen2.5-7b-instruct qwen2.5-coder-7b qwen2.5-coder-14b-instruct qwen2.5-coder-7b-instruct-abliterated
qwen2.5-coder:14b | qwen2.5-coder-14b qwen/qwen2.5-coder-32b qwen2.5-14b-instruct qwen2.5-coder-14b-instruct-abliterated Qwen/Qwen2.5-Coder-14B
qwen2.5-coder:7b-base | qwen2.5-coder-7b-instruct
qwen2.5-coder:14b-base | qwen/qwen2.5-coder-14b
qwen2.5vl:7b | qwen2.5-7b-instruct qwen2-vl-7b-instruct qwen/qwen3-vl-8b qwen/qwen2.5-vl-32b qwen2.5-omni-7b Qwen/Qwen2.5-VL-7B Qwen/Qwen2.5-7B-Instruct qwen2.5-vl-7b-abliterated-caption-it
qwen2-math:7b | qwen2-7b-instruct qwen2.5-math-7b-instruct qwen2-math-7b
qwen3:235b | qwen/qwen3-235b-a22b qwen/qwen3-235b-a22b-2507 qwen/qwen3-235b-a22b-thinking-2507
qwen3:4b-q4_K_M | qwen/qwen3-4b-2507 qwen/qwen3-4b-thinking-2507 qwen3-4b-instruct-2507 qwen3-4b-base
qwen3:4b-instruct | qwen/qwen3-4b qwen/qwen3-4b-thinking-2507 qwen3-4b-base
qwen3:4b-thinking | qwen/qwen3-4b qwen/qwen3-4b-2507 qwen3-4b-instruct-2507
qwen3:30b-a3b-q4_K_M | qwen/qwen3-30b-a3b-2507 qwen3-30b-a3b-thinking-2507 qwen/qwen3-coder-30b
qwen3:30b-instruct | qwen/qwen3-30b-a3b qwen/qwen3-30b-a3b-thinking-2507 qwen3-coder-30b-a3b-instruct qwen3-vl-30b-a3b-instruct
qwen3:8b | qwen3-8b-base josiefied-qwen3-8b-abliterated-v1 deepseek/deepseek-r1-0528-qwen3-8b qwen3-embedding-8b text-embedding-qwen3-embedding-8b qwen/qwen3-vl-8b qwen3-8b-128k qwen3-reranker-8b huihui-ai_qwen3-8b-abliterated qwen3guard-gen-8b
qwen3-vl:8b | qwen/qwen3-vl-8b qwen3-vl-8b-instruct qwen3-vl-8b-thinking qwen/qwen3-8b
qwen3-vl:8b-instruct | qwen3-vl-8b-thinking qwen/qwen3-vl-4b qwen2.5-vl-7b-instruct
qwen3-vl:8b-thinking | qwen/qwen3-vl-8b
qwen3-next:80b | qwen/qwen3-next-80b qwen3-next-80b-a3b-thinking qwen3-next-80b-a3b-instruct
qwen3-coder:30b | qwen/qwen3-30b-a3b qwen3-30b-a3b-instruct-2507 qwen/qwen3-coder-480b qwen/qwen3-coder-next qwen3-coder-reap-25b-a3b
qwen3-embedding:8b | qwen/qwen3-8b qwen3-8b text-embedding-qwen3-embedding-4b qwen3-reranker-8b
qwq:32b | qwq-32b-preview deepseek-r1-distill-qwen-32b qwen/qwen3-32b
qwen:7b | qwen1.5-7b-chat qwen-7b-chat qwen2-7b-instruct
gemma:7b | gemma-7b-it gemma-1.1-7b-it gemma-7b codegemma-7b-it
gemma:2b | gemma-2b-it gemma-1.1-2b-it gemma-2-2b-it
gemma2:9b | gemma-2-9b google/gemma-2-9b gemma-2-9b-it-sppo-iter3 gemma-2-9b-it-simpo google/gemma-3-12b gemma-2-9b-it-abliterated
gemma2:2b | gemma-2-2b gemma-2-2b-jpn-it gemma-2b-it
gemma3:4b | google/gemma-3n-e4b gemma-3-4b-pt medgemma-4b-it gemma-3-4b-it-abliterated google/gemma-3-4b-qat mlabonne_gemma-3-4b-it-abliterated
gemma3:12b | google/gemma-3-12b-qat gemma-3-12b-it-qat gemma-3-12b-pt gemma-3-12b-it-abliterated amoral-gemma3-12b-v2
gemma3n:e4b | google/gemma-3n-e2b google/gemma-3-4b gemma-3n-e4b
gemma3n:e2b | gemma-3n-e4b-it
embeddinggemma:300m | text-embedding-embeddinggemma-300m-qat google/gemma-3-270m
mistral:7b-instruct-q4_K_M | mistral-7b-instruct-v0.3 mistral-7b-instruct-v0.2
mistral:7b-instruct | mistral-7b-instruct-v0.1 mistral-7b-instruct-v0.2
mistral:7b-instruct-v0.2-q4_K_M | mistral-7b-instruct-v0.3 mistral-7b-instruct-v0.1
mixtral:8x7b | mixtral-8x22b-instruct-v0.1 mixtral-8x7b-v0.1 nous-hermes-2-mixtral-8x7b-dpo dolphin-2.7-mixtral-8x7b mixtral_7bx2_moe nous-hermes-2-mixtral-8x7b-sft
mistral-small:24b | mistral-small-3.1-24b-instruct-2503 mistralai/mistral-small-3.2 mistral-small-instruct-2409 mistralai/magistral-small-2506 mistralai/devstral-small-2507 mistral-small-24b-base-2501
mistral-small:22b | mistral-small-24b-instruct-2501 codestral-22b-v0.1
mistral-small3.1:24b | mistralai/mistral-small-3.2 mistral-small-24b-instruct-2501
mistral-small3.2:24b | mistral-small-3.1-24b-instruct-2503 mistralai/magistral-small-2509 mistral-small-24b-instruct-2501
mistral-nemo:12b | mistral-nemo-base-2407 mistral-nemo-minitron-8b-instruct google/gemma-3-12b mistral-nemo-instruct-2407-abliterated mn-12b-celeste
mistral-large:123b | mistral-large-instruct-2407 mistral-large-instruct-2411
devstral:24b | mistralai/devstral-small-2507 mistralai/devstral-small-2505 mistralai/mistral-small-3.2 devstral-small-2-24b-instruct-2512
devstral:24b-small-2505-q4_K_M | mistralai/devstral-small-2507 mistralai/devstral-small-2-2512
devstral-small-2:24b | mistralai/devstral-small-2507 mistralai/devstral-small-2505
magistral:24b | mistralai/magistral-small-2506 mistralai/magistral-small-2509
magistral:24b-small-2506-q4_K_M | mistralai/magistral-small-2507 mistralai/magistral-small-2509 magistral-small-2507
codestral:22b | mistral-small-instruct-2409 mamba-codestral-7b-v0.1
ministral-3:8b | ministral-8b-instruct-2410 ministral-3-8b-reasoning-2512 ministral-3-8b-base-2512
phi3:3.8b | phi-3-mini-4k-instruct phi-3-mini-128k-instruct phi-3.5-mini-instruct
phi3:mini | phi-3-mini-4k-instruct phi-3-mini-128k-instruct
phi3:3.8b-mini-4k-instruct-q4_K_M | phi-3-mini-128k-instruct phi-3.5-mini-instruct
phi3.5:3.8b | phi-3.5-vision-instruct phi-3-mini-4k-instruct microsoft/phi-4-mini-instruct phi-3.5-moe-instruct
phi4:14b | microsoft/phi-4-reasoning microsoft/phi-4-reasoning-plus microsoft/phi-4-mini-instruct phi-3-medium-4k-instruct phi-4-abliterated
phi4-mini:3.8b | microsoft/phi-4-mini-reasoning microsoft/phi-4 phi-4-mini-flash-reasoning phi-4-multimodal-instruct phi-4-mini-instruct-abliterated
phi4-reasoning:14b | microsoft/phi-4-reasoning-plus microsoft/phi-4 microsoft/phi-4-mini-reasoning
phi4-reasoning:plus | microsoft/phi-4-reasoning
deepseek-r1 | deepseek/deepseek-r1-0528-qwen3-8b deepseek-r1-distill-llama-8b deepseek-r1-distill-qwen-7b deepseek-r1
deepseek-r1:671b | deepseek-r1 deepseek-r1-0528 deepseek-v3
deepseek-r1:7b | qwen2.5-7b-instruct deepseek-r1-distill-qwen-14b deepseek-r1-distill-qwen-7b-abliterated qwen2.5-math-7b-instruct
deepseek-r1:14b | qwen2.5-14b-instruct deepseek-r1-distill-qwen-32b deepseek-r1-distill-qwen-14b-uncensored
deepseek-r1:8b-llama-distill-q4_K_M | deepseek/deepseek-r1-0528-qwen3-8b meta-llama-3.1-8b-instruct
deepseek-r1:8b-0528-qwen3-q4_K_M | deepseek-r1-distill-llama-8b qwen/qwen3-8b
deepseek-coder-v2:16b | deepseek-coder-v2-lite-base deepseek-v2-lite-chat deepseek-coder-v2-instruct deepseek-coder-6.7b-instruct
deepseek-coder:6.7b | deepseek-coder-6.7b-base deepseek-coder-7b-instruct-v1.5 deepseek-llm-7b-chat
deepseek-v3:671b | deepseek-v3-0324 deepseek-r1 deepseek-v3.1
granite3.3:8b | granite-3.2-8b-instruct granite-3.3-8b-base granite-3.3-2b-instruct granite-guardian-3.3-8b
granite3.2:8b | ibm/granite-3.3-8b granite-3.1-8b-instruct granite-3.2-8b-instruct-preview granite-8b-code-instruct
granite3.1-moe:3b | granite-3.1-2b-instruct granite-3.1-3b-a800m-base granite-3.0-3b-a800m-instruct
granite3.2-vision:2b | granite-3.2-2b-instruct
granite4:micro | ibm/granite-4-h-micro granite-4.0-h-micro
granite4:tiny-h | ibm/granite-4-h-micro ibm/granite-4-h-small
granite-code:8b | granite-8b-code-instruct granite-8b-code-base granite-3.1-8b-instruct
smollm2:1.7b | smollm-1.7b-instruct smollm2-1.7b smollm2-360m-instruct smolvlm2-2.2b-instruct
olmo2:7b | olmo-2-1124-7b olmo-7b-instruct olmo-3-7b-instruct olmo-2-1124-13b-instruct olmo-2-1124-7b-sft
olmo-3:7b | olmo-3-7b-instruct olmo-3-7b-think olmo-3-1025-7b
command-r:35b | c4ai-command-r-v01 c4ai-command-r-08-2024 c4ai-command-r-plus
command-r7b:7b | c4ai-command-r7b-arabic-02-2025 c4ai-command-r-v01 c4ai-command-r-08-2024 command-r7b-arabic
aya:8b | aya-expanse-8b
aya-expanse:8b | aya-23-8b aya-expanse-32b
gpt-oss:20b | openai/gpt-oss-safeguard-20b openai/gpt-oss-120b gpt-oss-20b-abliterated arliai_gpt-oss-20b-derestricted openai/gpt-oss-20b-base gpt-oss-20b-heretic gpt-oss-20b-uncensored
glm4:9b | glm-4-9b glm-4-9b-0414 glm-z1-9b-0414 glm-4v-9b zai-org/glm-4.5-air glm-4-9b-chat-1m
glm-4.7-flash | zai-org/glm-4.6v-flash zai-org/glm-4.5-air
exaone3.5:7.8b | exaone-deep-7.8b exaone-3.0-7.8b-instruct exaone-4.0-32b exaone-3.5-2.4b-instruct
falcon3:7b | falcon-7b-instruct falcon3-7b-base falcon3-10b-instruct falcon-h1-7b-instruct falcon3-mamba-7b-instruct
falcon:7b | falcon3-7b-instruct falcon-7b
yi:34b | yi-34b-chat yi-1.5-34b-chat yi-34b
yi:6b | yi-6b-chat yi-1.5-6b-chat
yi:9b | yi-coder-9b-chat yi-1.5-9b
starcoder2:15b | starcoder2-15b-instruct-v0.1 starcoder2-7b starcoderplus-15b
starcoder2:7b | starcoder2-7b-instruct starcoder-7b starcoder2-3b
nemotron-mini:4b | nvidia/nemotron-3-nano minitron-4b-base nemotron-3-nano-4b nvidia/nemotron-3-nano-4b
nemotron:70b | llama-3.3-70b-instruct llama-3.1-nemotron-70b-reward
tinyllama:1.1b | tinyllama-1.1b-intermediate tinydolphin-2.8-1.1b tinyllama-1.1b-chat-v0.6 tinyllama-1.1b-step-50k-105b
hermes3:8b | hermes-2-pro-llama-3-8b meta-llama-3.1-8b-instruct hermes-3-llama-3.2-3b
dolphin3:8b | meta-llama-3.1-8b-instruct dolphin-2.9-llama3-8b dolphin-x1-8b
someone/llama3.1:8b | meta-llama-3.1-8b-instruct
hf.co/mradermacher/Qwen3-8B-GGUF:Q4_K_M | someone/qwen3-8b
hf.co/bartowski/Qwen2.5-Coder-14B-Instruct-abliterated-GGUF:Q4_K_M | qwen/qwen2.5-coder-14b
llama3.1:8b-instruct-q8_0 | meta-llama-3.1-8b-instruct@q4_k_m
gemma3:4b-it-q4_K_M | google/gemma-3-4b@q8_0 gemma-3-4b-it-8bit
gemma3:4b-it-qat | google/gemma-3-4b gemma-3-4b-it
nomic-embed-text:v1.5 | text-embedding-nomic-embed-text-v1 text-embedding-nomic-embed-text-v2-moe nomic-embed-code nomic-embed-vision-v1.5
mxbai-embed-large:335m | mxbai-rerank-large-v1 text-embedding-mxbai-embed-2d-large-v1 text-embedding-bge-large-en-v1.5 text-embedding-mxbai-embed-xsmall-v1 deepset-mxbai-embed-de-large-v1
bge-m3:567m | text-embedding-bge-large-en-v1.5 bge-reranker-v2-m3 text-embedding-bge-m3-retromae bge-m3-unsupervised text-embedding-snowflake-arctic-embed-l-v2.0
all-minilm:22m | text-embedding-all-minilm-l12-v2 all-mpnet-base-v2 text-embedding-paraphrase-minilm-l6-v2 all-minilm-l6-v1
all-minilm:33m | text-embedding-all-minilm-l6-v2-embedding text-embedding-snowflake-arctic-embed-s
snowflake-arctic-embed:335m | text-embedding-snowflake-arctic-embed-m text-embedding-snowflake-arctic-embed-l-v2.0 text-embedding-mxbai-embed-large-v1
snowflake-arctic-embed2:568m | text-embedding-snowflake-arctic-embed-m-v2.0 text-embedding-snowflake-arctic-embed-l
bge-large:335m | text-embedding-bge-large-zh-v1.5 text-embedding-bge-base-en-v1.5 text-embedding-bge-large-en text-embedding-bge-m3
granite-embedding:278m | text-embedding-granite-embedding-30m-english text-embedding-granite-embedding-107m-multilingual
qwen3.5:9b | qwen/qwen3-8b qwen3.5-9b-base qwen/qwen3.5-4b qwen3.5-9b-abliterated
gemma4:e4b | google/gemma-4-e2b google/gemma-3n-e4b gemma-4-e4b google/gemma-4-31b
gemma4:26b | google/gemma-4-31b google/gemma-4-26b-a4b-qat gemma-4-26b-a4b
internlm2:7b | internlm2-7b internlm2_5-7b-chat
deepseek-v2:16b | deepseek-v2-lite deepseek-coder-v2-lite-instruct deepseek-v2
llava:7b | llava-v1.6-vicuna-7b llava-v1.5-7b llava-7b
minicpm-v:8b | minicpm-v-2_6 minicpm-o-2_6 minicpm3-4b
wizardcoder:7b-python | wizardcoder-python-7b-v1.0 codellama-7b-python
dolphin-mistral:7b | mistral-7b-instruct-v0.3 dolphin-2.8-mistral-7b-v02
openhermes:7b-mistral-v2-q4_K_M | openhermes-2.5-mistral-7b
openhermes:7b-mistral-v2.5-q4_K_M | openhermes-2-mistral-7b mistral-7b-instruct-v0.2
zephyr:7b | zephyr-7b-beta zephyr-7b-alpha
stablelm2:1.6b | stablelm-2-1_6b stablelm-2-zephyr-1_6b
stable-code:3b | stable-code-3b stable-code-instruct-3b
granite3-moe:3b | granite-3.0-3b-a800m-base granite-3.1-3b-a800m-instruct
granite3.1-moe:1b | granite-3.0-1b-a400m-instruct
solar:10.7b | solar-10.7b-v1.0 solar-pro-preview-instruct
falcon:7b-text | falcon-7b-instruct
codegemma:2b | codegemma-2b codegemma-1.1-2b
gemma3:270m | gemma-3-270m gemma-3-270m-it-qat
gemma3:1b | gemma-3-1b-pt google/gemma-3-270m gemma-3-1b-it-qat
smollm2:135m | smollm-135m-instruct smollm2-135m
smollm:1.7b | smollm-1.7b-instruct smollm2-1.7b-instruct
qwen3-embedding:0.6b | qwen3-reranker-0.6b qwen/qwen3-0.6b text-embedding-qwen3-embedding-4b
deepseek-r1:32b | deepseek-r1-distill-qwen-32b-japanese deepseek-r1-distill-qwen-14b qwen/qwq-32b
exaone-deep:7.8b | exaone-3.5-7.8b-instruct exaone-deep-2.4b
yi-coder:9b | yi-coder-9b yi-coder-1.5b-chat
starcoder2:15b-instruct | starcoder2-15b
athene-v2:72b | athene-70b qwen2.5-72b-instruct
nemotron-3-nano:30b | nvidia/nemotron-3-nano-4b nvidia/nemotron-3-nano-omni nvidia/nemotron-nano-9b-v2
qwen3:30b-a3b | qwen/qwen3-30b-a3b qwen/qwen3-30b-a3b-2507 qwen3-30b-a3b-thinking-2507
"""

HOSTILE = [(one, other) for one, others in rows(_HOSTILE) for other in others.split()]


def joined(one: str, one_size: str, other: str, other_size: str) -> bool:
    return same_model(identity_of(one), identity_of(other), one_size, other_size)


def _allowed(one: str, other: str) -> bool:
    """Two quantizations of one model are not interchangeable when both are named."""
    named = (identity_of(one).quantization, identity_of(other).quantization)
    return not all(named) or named[0] == named[1]


TRUE = [
    (one, size, other)
    for size, ollama, lmstudio in MODELS
    for one in ollama
    for other in lmstudio
    if _allowed(one, other)
]
FALSE = [
    (one, size, other, other_size)
    for row, (size, ollama, _) in enumerate(MODELS)
    for other_row, (other_size, _, lmstudio) in enumerate(MODELS)
    if row != other_row
    for one in ollama
    for other in lmstudio
]


def _sizes(one: str, other: str) -> set[str]:
    """List what would be worst: nothing, what either name says, and what many models have."""
    named = {f"{size}B" for name in (one, other) if (size := identity_of(name).size)}
    return {"", "0.3B", "1B", "7B", "24B", "30B", "70B", "671B"} | named


def test_no_pair_is_joined_falsely() -> None:
    assert len(FALSE) > 100_000
    for one, size, other, other_size in FALSE:
        assert not joined(one, size, other, other_size), (one, other)
        assert not joined(other, "", one, ""), (one, other)


@pytest.mark.parametrize(("one", "other"), HOSTILE)
def test_the_closest_pairs_are_not_joined(one: str, other: str) -> None:
    """Not even where both servers list the same size."""
    for size in _sizes(one, other):
        assert not joined(one, size, other, size)
        assert not joined(other, size, one, "")
        assert not joined(other, "", one, size)


# Of a publisher whose other uploads are fine-tunes; a number alone, as Ollama never writes it; a
# model of 1.7 billion parameters that is called 1b.
MISSED = {
    ("huihui_ai/qwen3-abliterated:8b", "huihui-qwen3-8b-abliterated"),
    ("deepseek-coder-v2", "deepseek-coder-v2-lite-instruct"),
    ("falcon3:1b", "falcon3-1b-instruct"),
}


def test_true_pairs_are_found() -> None:
    """Take a pair out of the missed when it is found."""
    assert len(TRUE) > 700
    found = {(one, other) for one, size, other in TRUE if joined(one, size, other, size)}
    assert {(one, other) for one, _, other in TRUE} - found == MISSED


def test_a_size_that_is_only_repeated_from_the_name_counts_less_than_one_that_was_counted() -> None:
    assert joined("qwen3:1.7b", "2.0B", "qwen/qwen3-1.7b", "1.7B")
    assert not joined("qwen3:1.7b", "2.0B", "qwen/qwen3-1.7b", "1.4B")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("llama3.2", "llama-3.2-3b-instruct"),
        ("qwen3", "qwen/qwen3-8b"),
        ("nomic-embed-text:v1.5", "text-embedding-nomic-embed-text-v1.5"),
        ("mxbai-embed-large:335m", "text-embedding-mxbai-embed-large-v1"),
    ],
)
def test_a_size_that_nobody_tells(one: str, other: str) -> None:
    assert not joined(one, "", other, "")


def test_names_and_facts_that_disagree_are_not_joined() -> None:
    assert joined("qwen3:8b", "8.2B", "qwen/qwen3-8b", "8B")
    assert not joined("qwen3:8b", "14.8B", "qwen/qwen3-8b", "8B")
    assert not joined("qwen3:8b", "8.2B", "qwen/qwen3-8b", "4B")


def test_a_size_that_only_the_server_tells() -> None:
    assert joined("phi4:14b", "14.7B", "microsoft/phi-4", "14B")
    assert not joined("phi4:14b", "14.7B", "microsoft/phi-4", "")


@pytest.mark.parametrize(
    ("wanted", "other", "said", "is_same"),
    [
        ("qwen3:8b-fp16", "qwen/qwen3-8b", "F16", True),
        ("qwen3:8b-fp16", "qwen/qwen3-8b@f16", "", True),
        ("qwen3:8b-q4_K_M", "qwen/qwen3-8b", "Q4_K_M", True),
        ("qwen3:8b-q4_K_M", "qwen/qwen3-8b", "Q8_0", False),
        ("qwen3:8b-q4_K_M", "qwen/qwen3-8b", "", False),
        ("qwen3:8b", "qwen/qwen3-8b", "Q8_0", True),
    ],
)
def test_same_quantization(wanted: str, other: str, said: str, is_same: bool) -> None:
    assert same_quantization(identity_of(wanted), identity_of(other), said) is is_same


def test_what_stands_in_the_reason() -> None:
    assert str(identity_of("qwen2.5-coder:7b")) == "qwen 2.5 7b coder instruct"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("llama3.2:latest", "llama3.2"),
        ("Qwen3:8B", "qwen3:8b"),
        ("library/llama3.2", "llama3.2"),
        ("registry.ollama.ai/library/llama3.2:latest", "llama3.2"),
        ("hf.co/bartowski/X-GGUF:Q4_K_M", "bartowski/x-gguf:q4_k_m"),
    ],
)
def test_canonical(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("ollama/qwen3:8b", ("ollama", "qwen3:8b")),
        ("lmstudio/qwen/qwen3-8b", ("lmstudio", "qwen/qwen3-8b")),
        ("big-box/tiny", ("big-box", "tiny")),
        ("ollama", ("", "ollama")),
        ("ollama/", ("", "ollama/")),
    ],
)
def test_split_pin(name: str, split: tuple[str, str]) -> None:
    assert split_pin(name) == split


def test_nearest_names_come_first() -> None:
    assert nearest("quen3", ["nomic-embed-text", "qwen3:8b", "llama3"])[0] == "qwen3:8b"


def test_nearest_names_are_found_at_once_among_many() -> None:
    known = [
        f"model-{number}-of-a-family-with-a-long-name:{number}b" * 8 for number in range(2_000)
    ]
    start = perf_counter()
    assert len(nearest("model-7-of-a-family" * 20, known)) == len(known)
    assert perf_counter() - start < 20  # a product of all lengths would take minutes


@pytest.mark.parametrize("name", EMBEDS.split())
def test_a_name_says_that_a_model_embeds(name: str) -> None:
    assert looks_like_embedding(name)


@pytest.mark.parametrize("name", [*CHATS.split(), "", " "])
def test_a_name_that_does_not_say_so(name: str) -> None:
    assert not looks_like_embedding(name)


@pytest.mark.parametrize("name", THINKERS.split())
def test_a_name_says_that_a_model_always_thinks(name: str) -> None:
    assert always_thinks(name)


@pytest.mark.parametrize("name", MAY_THINK.split())
def test_a_model_that_may_answer_at_once(name: str) -> None:
    assert not always_thinks(name)


# What names are made of, put together as no one would.
_SPLINTERS = """
qwen 3 2.5 1.2.3 7b a3b 8x7b e4b 16e v0.1 q4_k_m - : / @ _ . latest hf.co/ ٣b ½b ²b İ
"""
_LONG = ["9" * 400, "9" * 400 + "b", "1." * 300, "a" * 600, " "]
NAMES = st.text() | st.lists(st.sampled_from(_SPLINTERS.split() + _LONG)).map("".join)
HUGE = [
    each * (1_000_000 // len(each)) for each in ("a", "9", "-", "q4_", "1.", "embed-", ":", "٣b")
]


def _ask_everything(name: str, other: str, size: str) -> None:
    same_model(identity_of(name), identity_of(other), size, "1.2.3B")
    canonical(name)
    assert set(nearest(name, [other, name])) == {name, other}
    looks_like_embedding(name)
    always_thinks(name)
    str(identity_of(name))
    split_pin(name)


@given(NAMES, NAMES, NAMES)
def test_no_name_is_too_odd(name: str, other: str, size: str) -> None:
    _ask_everything(name, other, size)


@pytest.mark.parametrize("name", HUGE, ids=lambda name: name[:6])
def test_no_name_is_too_long(name: str) -> None:
    start = perf_counter()
    _ask_everything(name, name[1:], name)
    assert perf_counter() - start < 1
    assert not joined(name, "7B", name, "7B")
    assert canonical(name) != canonical(name + "b")
