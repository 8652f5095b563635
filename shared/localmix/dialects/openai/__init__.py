"""OpenAI's API, as llama.cpp, vLLM and many others speak it."""
