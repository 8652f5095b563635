"""Real model names of both catalogues: who is who.

Names of one row are the same model; names of two rows never are.
"""
# ruff: noqa: E501
# Tables.

from __future__ import annotations

# Parameters as Ollama lists them | names at Ollama (its library, and what it pulls from Hugging
# Face) | names at LM Studio (its catalogue, and files from Hugging Face).
_MODELS = """
# llama
8.0B | llama3.1:8b llama3.1:8b-instruct-q4_K_M llama3.1 hf.co/bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q4_K_M | meta-llama-3.1-8b-instruct llama-3.1-8b-instruct lmstudio-community/Meta-Llama-3.1-8B-Instruct-GGUF
70.6B | llama3.1:70b llama3.1:70b-instruct-q4_K_M hf.co/bartowski/Meta-Llama-3.1-70B-Instruct-GGUF:Q4_K_M | meta-llama-3.1-70b-instruct
1.2B | llama3.2:1b llama3.2:1b-instruct-q8_0 | llama-3.2-1b-instruct lmstudio-community/llama-3.2-1b-instruct
3.2B | llama3.2:3b llama3.2 llama3.2:latest llama3.2:3b-instruct-q4_K_M hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:latest hf.co/unsloth/Llama-3.2-3B-Instruct-GGUF:Q8_0 llama3.2:3b-instruct-fp16 | llama-3.2-3b-instruct llama-3.2-3b-instruct-4bit lmstudio-community/llama-3.2-3b-instruct llama-3.2-3b-instruct@f16
10.7B | llama3.2-vision:11b llama3.2-vision llama3.2-vision:11b-instruct-q4_K_M | llama-3.2-11b-vision-instruct
70.6B | llama3.3:70b llama3.3 llama3.3:70b-instruct-q4_K_M | meta/llama-3.3-70b llama-3.3-70b-instruct
8.0B | llama3:8b llama3:8b-instruct | meta-llama-3-8b-instruct
8.0B | llama3:8b-text llama3:8b-text-q4_K_M | meta-llama-3-8b
6.7B | llama2:7b llama2:7b-chat llama2:7b-chat-q4_K_M | llama-2-7b-chat thebloke/llama-2-7b-chat
13.0B | llama2:13b llama2:13b-chat-q4_K_M | llama-2-13b-chat
69.0B | llama2:70b | llama-2-70b-chat
6.7B | llama2:7b-text llama2:7b-text-q4_K_M | llama-2-7b
70.6B | llama3:70b llama3:70b-instruct-q4_K_M | meta-llama-3-70b-instruct
8.0B | llama3.1:8b-text-q4_K_M | meta-llama-3.1-8b llama-3.1-8b
405.9B | llama3.1:405b | meta-llama-3.1-405b-instruct llama-3.1-405b-instruct
1.2B | llama3.2:1b-text-q8_0 | llama-3.2-1b
3.2B | llama3.2:3b-text-q4_K_M | llama-3.2-3b
88.6B | llama3.2-vision:90b | llama-3.2-90b-vision-instruct
108.6B | llama4:scout llama4:16x17b llama4:17b-scout-16e-instruct-q4_K_M | llama-4-scout-17b-16e-instruct meta-llama/llama-4-scout-17b-16e-instruct
401.6B | llama4:maverick llama4:128x17b llama4:17b-maverick-128e-instruct-q4_K_M | llama-4-maverick-17b-128e-instruct
# codellama
6.7B | codellama:7b codellama codellama:7b-instruct-q4_K_M | codellama-7b-instruct thebloke/codellama-7b-instruct
6.7B | codellama:7b-python | codellama-7b-python
6.7B | codellama:7b-code codellama:7b-code-q4_K_M | codellama-7b
13.0B | codellama:13b | codellama-13b-instruct
33.7B | codellama:34b | codellama-34b-instruct
13.0B | codellama:13b-python | codellama-13b-python
# qwen
494.03M | qwen2.5:0.5b | qwen2.5-0.5b-instruct
7.6B | qwen2.5:7b qwen2.5:7b-instruct-q8_0 qwen2.5:latest hf.co/Qwen/Qwen2.5-7B-Instruct-GGUF:Q4_K_M | qwen2.5-7b-instruct qwen2.5-7b-instruct-mlx lmstudio-community/Qwen2.5-7B-Instruct-GGUF
7.6B | qwen2.5:7b-base | qwen2.5-7b
14.8B | qwen2.5:14b | qwen2.5-14b-instruct qwen2.5-14b-instruct@q4_k_m
32.8B | qwen2.5:32b hf.co/bartowski/Qwen2.5-32B-Instruct-GGUF:Q5_K_M hf.co/Qwen/Qwen2.5-32B-Instruct-GGUF:Q5_K_M | qwen2.5-32b-instruct lmstudio-community/qwen2.5-32b-instruct
7.6B | qwen2.5-coder:7b | qwen2.5-coder-7b-instruct qwen/qwen2.5-coder-7b-instruct
14.8B | qwen2.5-coder:14b qwen2.5-coder:14b-instruct-q4_K_M hf.co/bartowski/Qwen2.5-Coder-14B-Instruct-GGUF:Q4_K_M | qwen2.5-coder-14b-instruct qwen/qwen2.5-coder-14b lmstudio-community/Qwen2.5-Coder-14B-Instruct-GGUF
14.8B | qwen2.5-coder:14b-base | qwen2.5-coder-14b
32.8B | qwen2.5-coder:32b qwen2.5-coder:32b-instruct-q8_0 | qwen2.5-coder-32b-instruct qwen/qwen2.5-coder-32b
7.6B | qwen2-math:7b | qwen2-math-7b-instruct
8.3B | qwen2.5vl:7b qwen2.5vl qwen2.5vl:7b-q4_K_M | qwen2.5-vl-7b-instruct qwen/qwen2.5-vl-7b
3.8B | qwen2.5vl:3b | qwen2.5-vl-3b-instruct qwen/qwen2.5-vl-3b
751.63M | qwen3:0.6b hf.co/Qwen/Qwen3-0.6B-GGUF:Q8_0 | qwen3-0.6b qwen/qwen3-0.6b
2.0B | qwen3:1.7b hf.co/unsloth/Qwen3-1.7B-GGUF:Q4_K_M | qwen/qwen3-1.7b qwen3-1.7b
8.2B | qwen3:8b qwen3:8b-q8_0 qwen3 qwen3:8b-q4_K_M hf.co/Qwen/Qwen3-8B-GGUF:Q4_K_M hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M | qwen/qwen3-8b qwen3-8b qwen/qwen3-8b@q8_0 qwen_qwen3-8b qwen3-8b-mlx
14.8B | qwen3:14b | qwen/qwen3-14b
32.8B | qwen3:32b qwen3:32b-q4_K_M | qwen/qwen3-32b qwen3-32b
4.0B | qwen3:4b-instruct-2507-q4_K_M qwen3:4b-instruct hf.co/unsloth/Qwen3-4B-Instruct-2507-GGUF:Q4_K_M | qwen/qwen3-4b-instruct-2507 qwen/qwen3-4b-2507 qwen3-4b-instruct-2507 lmstudio-community/Qwen3-4B-Instruct-2507-GGUF
4.0B | qwen3:4b-thinking-2507-q4_K_M qwen3:4b-thinking | qwen/qwen3-4b-thinking-2507 qwen3-4b-thinking-2507
30.5B | qwen3:30b-a3b-instruct-2507-q4_K_M qwen3:30b-instruct | qwen/qwen3-30b-a3b-instruct-2507 qwen/qwen3-30b-a3b-2507 qwen3-30b-a3b-instruct-2507
30.5B | qwen3:30b-a3b-thinking-2507-q4_K_M qwen3:30b-thinking | qwen/qwen3-30b-a3b-thinking-2507 qwen3-30b-a3b-thinking-2507
30.5B | qwen3-coder:30b qwen3-coder qwen3-coder:30b-a3b-q4_K_M hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M qwen3-coder:30b-a3b-fp16 | qwen/qwen3-coder-30b qwen3-coder-30b-a3b-instruct qwen3-coder-30b-a3b-instruct-mlx qwen/qwen3-coder-30b@f16
8.8B | qwen3-vl:8b-instruct qwen3-vl:8b-instruct-q4_K_M hf.co/Qwen/Qwen3-VL-8B-Instruct-GGUF:Q4_K_M | qwen3-vl-8b-instruct qwen/qwen3-vl-8b
8.8B | qwen3-vl:8b-thinking | qwen3-vl-8b-thinking
8.2B | huihui_ai/qwen3-abliterated:8b | huihui-qwen3-8b-abliterated
8.2B | someone/qwen3:8b |
8.2B | | someone/qwen3-8b
7.6B | qwen2:7b qwen2:7b-instruct-q4_K_M | qwen2-7b-instruct
494.03M | qwen2:0.5b | qwen2-0.5b-instruct
1.5B | qwen2:1.5b | qwen2-1.5b-instruct
72.7B | qwen2:72b | qwen2-72b-instruct
7.7B | qwen:7b-chat-v1.5-q4_K_M | qwen1.5-7b-chat
1.5B | qwen2.5:1.5b | qwen2.5-1.5b-instruct
3.1B | qwen2.5:3b | qwen2.5-3b-instruct
72.7B | qwen2.5:72b | qwen2.5-72b-instruct
494.03M | qwen2.5-coder:0.5b | qwen2.5-coder-0.5b-instruct
1.5B | qwen2.5-coder:1.5b qwen2.5-coder:1.5b-instruct-q4_K_M | qwen2.5-coder-1.5b-instruct
1.5B | qwen2.5-coder:1.5b-base | qwen2.5-coder-1.5b
3.1B | qwen2.5-coder:3b | qwen2.5-coder-3b-instruct qwen2.5-coder-3b-instruct-mlx
7.6B | qwen2.5-coder:7b-base qwen2.5-coder:7b-base-q4_K_M | qwen2.5-coder-7b
33.5B | qwen2.5vl:32b | qwen/qwen2.5-vl-32b qwen2.5-vl-32b-instruct
73.4B | qwen2.5vl:72b | qwen/qwen2.5-vl-72b qwen2.5-vl-72b-instruct
1.5B | qwen2-math:1.5b | qwen2-math-1.5b-instruct
72.7B | qwen2-math:72b qwen2-math:72b-instruct-q4_K_M | qwen2-math-72b-instruct
4.0B | qwen3:4b-q4_K_M | qwen/qwen3-4b qwen3-4b
30.5B | qwen3:30b-a3b-q4_K_M | qwen/qwen3-30b-a3b qwen3-30b-a3b
235.1B | qwen3:235b-instruct qwen3:235b-a22b-instruct-2507-q4_K_M | qwen/qwen3-235b-a22b-2507 qwen3-235b-a22b-instruct-2507
235.1B | qwen3:235b-thinking qwen3:235b-a22b-thinking-2507-q4_K_M | qwen/qwen3-235b-a22b-thinking-2507
235.1B | qwen3:235b-a22b-q4_K_M | qwen/qwen3-235b-a22b
480.2B | qwen3-coder:480b | qwen/qwen3-coder-480b qwen3-coder-480b-a35b-instruct
79.7B | qwen3-next:80b-a3b-instruct-q4_K_M | qwen/qwen3-next-80b qwen3-next-80b-a3b-instruct
79.7B | qwen3-next:80b-a3b-thinking-q4_K_M | qwen3-next-80b-a3b-thinking
4.4B | qwen3-vl:4b-instruct qwen3-vl:4b-instruct-q4_K_M | qwen/qwen3-vl-4b qwen3-vl-4b-instruct
31.1B | qwen3-vl:30b-a3b-instruct-q4_K_M qwen3-vl:30b-a3b-instruct | qwen/qwen3-vl-30b qwen3-vl-30b-a3b-instruct
9.7B | qwen3.5:9b qwen3.5:9b-q4_K_M hf.co/unsloth/Qwen3.5-9B-GGUF:Q4_K_M | qwen/qwen3.5-9b qwen3.5-9b
36.0B | qwen3.6:35b-a3b | qwen/qwen3.6-35b-a3b
# qwq
32.8B | qwq:32b qwq qwq:32b-q8_0 | qwen/qwq-32b qwq-32b qwen_qwq-32b
32.8B | qwq:32b-preview-q4_K_M | qwq-32b-preview
# gemma
999.89M | gemma3:1b gemma3:1b-it-q4_K_M | google/gemma-3-1b gemma-3-1b-it google_gemma-3-1b-it
4.3B | gemma3:4b gemma3:4b-it-q4_K_M gemma3 gemma3:latest hf.co/ggml-org/gemma-3-4b-it-GGUF:Q4_K_M hf.co/lmstudio-community/gemma-3-4b-it-GGUF:Q4_K_M | google/gemma-3-4b gemma-3-4b-it google_gemma-3-4b-it gemma-3-4b-it-mlx
12.2B | gemma3:12b hf.co/unsloth/gemma-3-12b-it-GGUF:Q4_K_M | google/gemma-3-12b gemma-3-12b-it google_gemma-3-12b-it
27.4B | gemma3:27b gemma3:27b-it-q4_K_M | google/gemma-3-27b gemma-3-27b-it
12.2B | gemma3:12b-it-qat | google/gemma-3-12b-qat gemma-3-12b-it-qat
268.10M | gemma3:270m | google/gemma-3-270m gemma-3-270m-it
6.9B | gemma3n:e4b gemma3n gemma3n:e4b-it-q4_K_M | google/gemma-3n-e4b gemma-3n-e4b-it
4.5B | gemma3n:e2b gemma3n:e2b-it-q8_0 | google/gemma-3n-e2b gemma-3n-e2b-it
9.2B | gemma2:9b gemma2 gemma2:9b-instruct-q4_K_M hf.co/bartowski/gemma-2-9b-it-GGUF:Q4_K_M | gemma-2-9b-it lmstudio-community/gemma-2-9b-it
2.6B | gemma2:2b gemma2:2b-instruct-q4_K_M | gemma-2-2b-it
8.5B | gemma:7b-instruct-v1.1-q4_K_M | gemma-1.1-7b-it
27.2B | gemma2:27b | gemma-2-27b-it
27.4B | gemma3:27b-it-qat | gemma-3-27b-it-qat google/gemma-3-27b-qat
8.0B | gemma4:e4b gemma4:e4b-it-q4_K_M | google/gemma-4-e4b gemma-4-e4b-it
31.3B | gemma4:31b | google/gemma-4-31b gemma-4-31b-it
25.8B | gemma4:26b-a4b-it-q4_K_M hf.co/unsloth/gemma-4-26B-A4B-it-GGUF:Q4_K_M | google/gemma-4-26b-a4b gemma-4-26b-a4b-it
4.3B | gemma3:4b-it-qat | gemma-3-4b-it-qat
# codegemma
8.5B | codegemma:7b-instruct-v1.1-q4_K_M | codegemma-1.1-7b-it
# shieldgemma
2.6B | shieldgemma:2b | shieldgemma-2b
# mistral
7.2B | mistral:7b mistral mistral:7b-instruct-v0.3-q4_K_M hf.co/bartowski/Mistral-7B-Instruct-v0.3-GGUF:Q4_K_M | mistral-7b-instruct-v0.3 mistralai/mistral-7b-instruct-v0.3
7.2B | mistral:7b-instruct-v0.2-q4_K_M | mistral-7b-instruct-v0.2 thebloke/mistral-7b-instruct-v0.2
12.2B | mistral-nemo:12b mistral-nemo mistral-nemo:12b-instruct-2407-q4_K_M hf.co/bartowski/Mistral-Nemo-Instruct-2407-GGUF:Q4_K_M | mistral-nemo-instruct-2407 mistralai/mistral-nemo-instruct-2407
24.0B | mistral-small3.2:24b mistral-small3.2 mistral-small3.2:24b-instruct-2506-q4_K_M hf.co/unsloth/Mistral-Small-3.2-24B-Instruct-2506-GGUF:Q4_K_M hf.co/bartowski/mistralai_Mistral-Small-3.2-24B-Instruct-2506-GGUF:Q4_K_M | mistralai/mistral-small-3.2 mistral-small-3.2-24b-instruct-2506
23.6B | mistral-small3.1:24b mistral-small3.1 mistral-small3.1:24b-instruct-2503-q4_K_M | mistral-small-3.1-24b-instruct-2503 mistralai_mistral-small-3.1-24b-instruct-2503
22.2B | mistral-small:22b mistral-small:22b-instruct-2409-q4_K_M | mistral-small-instruct-2409
23.6B | mistral-small:24b mistral-small mistral-small:24b-instruct-2501-q4_K_M | mistral-small-24b-instruct-2501 mistralai/mistral-small-24b-instruct-2501
122.6B | mistral-large:123b-instruct-2411-q4_K_M | mistral-large-instruct-2411
# mixtral
46.7B | mixtral:8x7b mixtral mixtral:8x7b-instruct-v0.1-q4_K_M | mixtral-8x7b-instruct-v0.1
140.6B | mixtral:8x22b mixtral:8x22b-instruct-v0.1-q4_K_M | mixtral-8x22b-instruct-v0.1
46.7B | mixtral:8x7b-text-v0.1-q4_K_M | mixtral-8x7b-v0.1
# mathstral
7.2B | mathstral:7b mathstral:7b-v0.1-q4_K_M | mathstral-7b-v0.1 mistralai/mathstral-7b-v0.1
# codestral
22.2B | codestral:22b codestral codestral:22b-v0.1-q4_K_M hf.co/bartowski/Codestral-22B-v0.1-GGUF:Q4_K_M | codestral-22b-v0.1 mistralai/codestral-22b-v0.1
# devstral
23.6B | devstral:24b-small-2505-q4_K_M hf.co/unsloth/Devstral-Small-2505-GGUF:Q4_K_M | mistralai/devstral-small-2505 devstral-small-2505
23.6B | hf.co/unsloth/Devstral-Small-2507-GGUF:Q4_K_M hf.co/mistralai/Devstral-Small-2507_gguf:Q4_K_M | mistralai/devstral-small-2507 devstral-small-2507 lmstudio-community/Devstral-Small-2507-GGUF
24.0B | devstral-small-2:24b-instruct-2512-q4_K_M hf.co/unsloth/Devstral-Small-2-24B-Instruct-2512-GGUF:Q4_K_M | devstral-small-2-24b-instruct-2512
# magistral
23.6B | magistral:24b-small-2506-q4_K_M | mistralai/magistral-small-2506 magistral-small-2506
23.6B | hf.co/unsloth/Magistral-Small-2509-GGUF:Q4_K_M | mistralai/magistral-small-2509 magistral-small-2509
# ministral
8.9B | ministral-3:8b-instruct-2512-q4_K_M | ministral-3-8b-instruct-2512
8.0B | hf.co/bartowski/Ministral-8B-Instruct-2410-GGUF:Q4_K_M | ministral-8b-instruct-2410
13.9B | ministral-3:14b-instruct-2512-q4_K_M | ministral-3-14b-instruct-2512
# phi
14.7B | phi4:14b phi4 phi4:14b-q8_0 hf.co/unsloth/phi-4-GGUF:Q4_K_M | microsoft/phi-4 phi-4
3.8B | phi4-mini:3.8b phi4-mini phi4-mini:3.8b-q4_K_M | microsoft/phi-4-mini-instruct phi-4-mini-instruct microsoft_phi-4-mini-instruct
3.8B | phi4-mini-reasoning:3.8b phi4-mini-reasoning phi4-mini-reasoning:3.8b-q4_K_M | microsoft/phi-4-mini-reasoning phi-4-mini-reasoning
14.7B | phi4-reasoning:14b phi4-reasoning | microsoft/phi-4-reasoning phi-4-reasoning
14.7B | phi4-reasoning:plus phi4-reasoning:14b-plus-q4_K_M | microsoft/phi-4-reasoning-plus phi-4-reasoning-plus
3.8B | phi3.5:3.8b phi3.5 phi3.5:3.8b-mini-instruct-q4_K_M | phi-3.5-mini-instruct microsoft/phi-3.5-mini-instruct
3.8B | phi3:3.8b-mini-4k-instruct-q4_K_M hf.co/microsoft/Phi-3-mini-4k-instruct-gguf:Q4_K_M | phi-3-mini-4k-instruct
3.8B | phi3:3.8b-mini-128k-instruct-q4_K_M | phi-3-mini-128k-instruct
14.0B | phi3:14b-medium-4k-instruct-q4_K_M | phi-3-medium-4k-instruct
# deepseek
1.8B | deepseek-r1:1.5b | deepseek-r1-distill-qwen-1.5b
7.6B | deepseek-r1:7b deepseek-r1:7b-qwen-distill-q4_K_M | deepseek-r1-distill-qwen-7b deepseek/deepseek-r1-distill-qwen-7b
14.8B | deepseek-r1:14b deepseek-r1:14b-qwen-distill-q4_K_M | deepseek-r1-distill-qwen-14b
32.8B | deepseek-r1:32b | deepseek-r1-distill-qwen-32b
70.6B | deepseek-r1:70b deepseek-r1:70b-llama-distill-q4_K_M | deepseek-r1-distill-llama-70b
8.2B | deepseek-r1:8b-0528-qwen3-q4_K_M hf.co/unsloth/DeepSeek-R1-0528-Qwen3-8B-GGUF:Q4_K_M hf.co/bartowski/deepseek-ai_DeepSeek-R1-0528-Qwen3-8B-GGUF:Q4_K_M | deepseek/deepseek-r1-0528-qwen3-8b deepseek-r1-0528-qwen3-8b deepseek-ai_deepseek-r1-0528-qwen3-8b
8.0B | deepseek-r1:8b-llama-distill-q4_K_M hf.co/bartowski/DeepSeek-R1-Distill-Llama-8B-GGUF:Q4_K_M | deepseek-r1-distill-llama-8b
15.7B | deepseek-coder-v2:16b deepseek-coder-v2 deepseek-coder-v2:lite deepseek-coder-v2:16b-lite-instruct-q4_K_M | deepseek-coder-v2-lite-instruct
671.0B | deepseek-r1:671b-0528-q4_K_M | deepseek-r1-0528
15.7B | deepseek-coder-v2:16b-lite-base-q4_K_M | deepseek-coder-v2-lite-base
6.7B | deepseek-coder:6.7b deepseek-coder:6.7b-instruct-q4_K_M | deepseek-coder-6.7b-instruct thebloke/deepseek-coder-6.7b-instruct
6.7B | deepseek-coder:6.7b-base | deepseek-coder-6.7b-base
1.3B | deepseek-coder:1.3b | deepseek-coder-1.3b-instruct
33.3B | deepseek-coder:33b | deepseek-coder-33b-instruct
15.7B | deepseek-v2:16b-lite-chat-q4_K_M deepseek-v2:16b | deepseek-v2-lite-chat
7B | deepseek-llm:7b | deepseek-llm-7b-chat
# granite
8.2B | granite3.3:8b granite3.3 granite3.3:8b-instruct-q8_0 hf.co/ibm-granite/granite-3.3-8b-instruct-GGUF:Q8_0 | granite-3.3-8b-instruct ibm-granite/granite-3.3-8b-instruct ibm/granite-3.3-8b
2.5B | granite3.3:2b | granite-3.3-2b-instruct
8.2B | granite3.2:8b granite3.2:8b-instruct-q4_K_M | ibm/granite-3.2-8b granite-3.2-8b-instruct ibm-granite_granite-3.2-8b-instruct
2.5B | granite3.2:2b | granite-3.2-2b-instruct
8.2B | granite3.1-dense:8b | granite-3.1-8b-instruct
2.5B | granite3.1-dense:2b | granite-3.1-2b-instruct
8.2B | granite3-dense:8b | granite-3.0-8b-instruct
3.3B | granite3.1-moe:3b | granite-3.1-3b-a800m-instruct
2.5B | granite3.2-vision:2b | granite-vision-3.2-2b
6.9B | granite4:tiny-h granite4:7b-a1b-h | ibm/granite-4-h-tiny granite-4.0-h-tiny
3.2B | granite4:micro-h | ibm/granite-4-h-micro granite-4.0-h-micro
3.4B | granite4:micro | ibm/granite-4-micro granite-4.0-micro
32.2B | granite4:small-h | ibm/granite-4-h-small granite-4.0-h-small
# gpt
20.9B | gpt-oss:20b gpt-oss gpt-oss:latest hf.co/unsloth/gpt-oss-20b-GGUF:Q4_K_M | openai/gpt-oss-20b gpt-oss-20b-mxfp4 openai_gpt-oss-20b
116.8B | gpt-oss:120b | openai/gpt-oss-120b gpt-oss-120b
20.9B | gpt-oss-safeguard:20b | openai/gpt-oss-safeguard-20b
# others
1.7B | smollm2:1.7b smollm2 smollm2:1.7b-instruct-q4_K_M | smollm2-1.7b-instruct
361.82M | smollm2:360m | smollm2-360m-instruct
8.8B | yi:9b yi:9b-chat-v1.5-q4_K_M | yi-1.5-9b-chat
9.4B | glm4:9b glm4 glm4:9b-chat-q4_K_M | glm-4-9b-chat
7.8B | exaone3.5:7.8b exaone3.5 exaone3.5:7.8b-instruct-q4_K_M | exaone-3.5-7.8b-instruct
7.3B | olmo2:7b olmo2 olmo2:7b-1124-instruct-q4_K_M | olmo-2-1124-7b-instruct
10.3B | falcon3:10b falcon3:10b-instruct-q4_K_M | falcon3-10b-instruct
8.0B | dolphin3:8b | dolphin3.0-llama3.1-8b
134.52M | smollm2:135m | smollm2-135m-instruct
3.1B | hf.co/ggml-org/SmolLM3-3B-GGUF:Q4_K_M | smollm3-3b
13.7B | olmo2:13b | olmo-2-1124-13b-instruct
32.2B | olmo-3:32b-think | allenai/olmo-3-32b-think olmo-3-32b-think
7.3B | olmo-3:7b-instruct | olmo-3-7b-instruct allenai_olmo-3-7b-instruct
35.0B | command-r:35b-v0.1-q4_K_M | c4ai-command-r-v01
32.3B | command-r:35b-08-2024-q4_K_M | c4ai-command-r-08-2024
8.0B | command-r7b command-r7b:7b | c4ai-command-r7b-12-2024
111.1B | command-a:111b | c4ai-command-a-03-2025
8.0B | aya-expanse:8b | aya-expanse-8b
110.5B | hf.co/unsloth/GLM-4.5-Air-GGUF:Q4_K_M | zai-org/glm-4.5-air glm-4.5-air
29.9B | glm-4.7-flash | zai-org/glm-4.7-flash glm-4.7-flash
32.6B | hf.co/bartowski/THUDM_GLM-4-32B-0414-GGUF:Q4_K_M | glm-4-32b-0414 thudm_glm-4-32b-0414
2.7B | exaone3.5:2.4b | exaone-3.5-2.4b-instruct
32.0B | exaone3.5:32b | exaone-3.5-32b-instruct
7.8B | exaone-deep:7.8b exaone-deep | exaone-deep-7.8b
32.0B | exaone-deep:32b | exaone-deep-32b
3.2B | falcon3:3b | falcon3-3b-instruct
7.5B | falcon3:7b falcon3 | falcon3-7b-instruct
34.4B | yi:34b-chat-v1.5-q4_K_M | yi-1.5-34b-chat
8.8B | yi-coder:9b yi-coder:9b-chat-q4_K_M | yi-coder-9b-chat
3.0B | starcoder2:3b | starcoder2-3b
7.2B | starcoder2:7b | starcoder2-7b
16.0B | starcoder2:15b | starcoder2-15b
16.0B | starcoder2:15b-instruct-v0.1-q4_K_M starcoder2:instruct | starcoder2-15b-instruct-v0.1
1.2B | hf.co/LiquidAI/LFM2-1.2B-GGUF:Q4_K_M | liquid/lfm2-1.2b lfm2-1.2b
31.6B | nemotron-3-nano:30b | nvidia/nemotron-3-nano
4.2B | nemotron-mini:4b | nemotron-mini-4b-instruct
70.6B | nemotron:70b | llama-3.1-nemotron-70b-instruct
1.1B | tinyllama:1.1b tinyllama | tinyllama-1.1b-chat-v1.0
10.7B | solar:10.7b | solar-10.7b-instruct-v1.0
8.0B | hermes3:8b-llama3.1-q4_K_M hermes3:8b | hermes-3-llama-3.1-8b
36.2B | hf.co/unsloth/Seed-OSS-36B-Instruct-GGUF:Q4_K_M | bytedance/seed-oss-36b seed-oss-36b-instruct
1.2B | hf.co/LiquidAI/LFM2.5-1.2B-Instruct-GGUF:Q8_0 | lfm2.5-1.2b-instruct
8.3B | rnj-1:8b | essentialai/rnj-1 rnj-1-instruct
7.6B | bespoke-minicheck:7b | bespoke-minicheck-7b
1.5B | deepscaler:1.5b | deepscaler-1.5b-preview
14.8B | deepcoder:14b deepcoder:14b-preview-q4_K_M | deepcoder-14b-preview agentica-org_deepcoder-14b-preview
8.0B | tulu3:8b | llama-3.1-tulu-3-8b
7.2B | wizardlm2:7b | wizardlm-2-7b
7.2B | llava:7b-v1.6-mistral-q4_K_M | llava-v1.6-mistral-7b
8.0B | cogito:8b-v1-preview-llama-q4_K_M | cogito-v1-preview-llama-8b deepcogito_cogito-v1-preview-llama-8b
7.2B | zephyr:7b-beta-q4_K_M | zephyr-7b-beta
6.7B | vicuna:7b-v1.5-q4_K_M | vicuna-7b-v1.5
1.7B | falcon3:1b | falcon3-1b-instruct
# what embeds
595.78M | qwen3-embedding:0.6b | text-embedding-qwen3-embedding-0.6b qwen3-embedding-0.6b
4.0B | qwen3-embedding:4b | text-embedding-qwen3-embedding-4b
7.6B | qwen3-embedding:8b qwen3-embedding | text-embedding-qwen3-embedding-8b
307.58M | embeddinggemma:300m embeddinggemma | text-embedding-embeddinggemma-300m embeddinggemma-300m
137M | nomic-embed-text nomic-embed-text:v1.5 nomic-embed-text:137m-v1.5-fp16 | text-embedding-nomic-embed-text-v1.5 nomic-embed-text-v1.5
334.09M | mxbai-embed-large mxbai-embed-large:335m | text-embedding-mxbai-embed-large-v1 mxbai-embed-large-v1
566.70M | bge-m3 bge-m3:567m hf.co/gpustack/bge-m3-GGUF:F16 | text-embedding-bge-m3 bge-m3
23M | all-minilm all-minilm:22m all-minilm:22m-l6-v2-fp16 | text-embedding-all-minilm-l6-v2-embedding all-minilm-l6-v2
33M | all-minilm:33m all-minilm:33m-l12-v2-fp16 | text-embedding-all-minilm-l12-v2
334.09M | snowflake-arctic-embed:335m snowflake-arctic-embed:335m-l-fp16 | text-embedding-snowflake-arctic-embed-l
566.70M | snowflake-arctic-embed2:568m snowflake-arctic-embed2 | text-embedding-snowflake-arctic-embed-l-v2.0
334.09M | bge-large:335m bge-large:335m-en-v1.5-fp16 | text-embedding-bge-large-en-v1.5 bge-large-en-v1.5
277.45M | paraphrase-multilingual:278m | text-embedding-paraphrase-multilingual-mpnet-base-v2
277.45M | granite-embedding:278m | text-embedding-granite-embedding-278m-multilingual
475.29M | nomic-embed-text-v2-moe | text-embedding-nomic-embed-text-v2-moe
109M | snowflake-arctic-embed:110m | text-embedding-snowflake-arctic-embed-m
"""


def rows(table: str) -> list[list[str]]:
    """Read a table: a line is a row, `|` is between its columns."""
    lines = [line for line in table.strip().splitlines() if not line.startswith("#")]
    return [[column.strip() for column in line.split("|")] for line in lines]


MODELS: list[tuple[str, list[str], list[str]]] = [
    (size, ollama.split(), lmstudio.split()) for size, ollama, lmstudio in rows(_MODELS)
]

# Names that say that a model embeds, and names that come close to it without.
EMBEDS = """
all-minilm all-minilm:33m all-mpnet-base-v2 bge-large:335m bge-m3 BAAI/bge-multilingual-gemma2
embeddinggemma:300m text-embedding-embeddinggemma-300m-qat granite-embedding:278m gte-qwen2-7b
gte-large intfloat/e5-large multilingual-e5-large-instruct e5-mistral-7b-instruct jina-embeddings-v3
labse sentence-transformers/LaBSE linq-embed-mistral llama-embed-nemotron-8b m3e-base
mxbai-embed-large nomic-embed-text nomic-embed-text-v2-moe paraphrase-multilingual qwen3-embedding
hf.co/Qwen/Qwen3-Embedding-0.6B-GGUF:Q8_0 salesforce/sfr-embedding-mistral snowflake-arctic-embed2
stella_en_400m_v5 instructor-xl hkunlp/instructor-large text-embedding-3-small text-embedding-x
text2vec-base-chinese kalm-embedding-multilingual-mini-v1 gtr-t5-base llm-embedder contriever
"""
CHATS = """
bge-reranker-v2-m3 qwen3-reranker-0.6b mxbai-rerank-large-v1 jina-reranker-v2 gte-reranker-base
gemma3 gemma3n:e4b google/gemma-3n-e2b gemma3:e5b gemma-4-e5b qwen3:8b llama3.2 gpt-oss:20b
snowflake-arctic llama-3.1-8b-instruct mistral-7b-instruct-v0.3 stellar-7b wagte-7b integte-8b
unembedded-7b instructor nous-hermes2 minimax-m2 e50-chat phi4-mini bgem-7b paraphrase
"""

# Names of models that begin every answer with a thought, and of models that may not.
THINKERS = """
deepseek-r1:8b DeepSeek-R1-Distill-Qwen-7B-GGUF deepseek/deepseek-r1-0528-qwen3-8b qwq QwQ-32B
Qwen3-30B-A3B-Thinking-2507 qwen3-vl:8b-thinking phi4-reasoning:14b phi4-mini-reasoning GLM-Z1-9B-0414
openthinker:7b kimi-k2-thinking r1-1776
"""
MAY_THINK = """
qwen3:8b qwen3-4b-instruct-2507 qwen3-4b-non-thinking gpt-oss:20b llama3.2 command-r7b var1 gemma3
deepseek-v3.1 magistral:24b rethink-7b qwqa
"""
