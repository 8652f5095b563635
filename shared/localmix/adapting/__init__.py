"""What the adapters for LangChain, LlamaIndex and other frameworks have in common."""
