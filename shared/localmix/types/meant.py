"""The word to use instead of one that is no argument."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from localmix.types import options
from localmix.types.peers import MEANINGS, SENTENCES

# How settings are said, and the names of them.
OF_CLIENTS: dict[str, Collection[str]] = {
    "Client({}=...)": {"servers", "observers", *options.SettingsOptions.__annotations__},
    'servers=[ServerConfig(url="...", {}=...)]': options.ServerOptions.__annotations__,
}
# The same for everything that can be said to a client.
CALLS: dict[str, Collection[str]] = {
    "chat(..., {}=...)": options.ChatOptions.__annotations__,
    "complete(..., {}=...)": options.CompletionOptions.__annotations__,
    "embed(..., {}=...)": options.EmbedOptions.__annotations__,
    "embed_many(..., {}=...)": ("checkpoint", "progress"),
    "pull(..., {}=...)": options.PullOptions.__annotations__,
    "run(..., {}=...)": ("max_turns",),
    **OF_CLIENTS,
}

_VERY_CLOSE = 0.8


def word_to_use(word: str, own: Collection[str], calls: Mapping[str, Collection[str]]) -> str:
    """Say what to write instead of `word`, as a sentence; nothing where nobody knows it.

    Args:
        word: What is no argument here.
        own: The arguments that there are.
        calls: Where other arguments are said.
    """
    meanings = MEANINGS.get(word, (word,))
    for meant in meanings:
        if meant in own:
            return f"Use {meant}."
    for beside, sentences in SENTENCES.items():
        if beside in own and word in sentences:
            return sentences[word]
    for meant in meanings:
        for call, names in calls.items():
            if meant in names:
                return f"Use {call.format(meant)}."
    return _close_to(word, own, calls)


def _close_to(word: str, own: Collection[str], calls: Mapping[str, Collection[str]]) -> str:
    foreign = {name: meant for name, many in MEANINGS.items() for meant in many if meant in own}
    if close := get_close_matches(word, [*own, *foreign], n=1):
        meant = close[0] if close[0] in own else foreign[close[0]]
        return f"Did you mean {meant}?"
    if "extra" in own:
        return "Your server's own keys go into extra={...}."
    elsewhere = [name for names in calls.values() for name in names]
    if close := get_close_matches(word, elsewhere, n=1, cutoff=_VERY_CLOSE):
        return f"Did you mean {close[0]}? {word_to_use(close[0], own, calls)}"
    return ""
