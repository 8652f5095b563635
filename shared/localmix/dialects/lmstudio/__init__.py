"""LM Studio's API: OpenAI's, with listings and model management of its own."""
