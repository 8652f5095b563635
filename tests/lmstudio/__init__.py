"""A stand-in for LM Studio: a real model behind its listings, envelopes, errors and quirks.

LM Studio is closed and does not run here. What the stand-in does is written in LM Studio's
documentation or was seen in public recordings of versions 0.3.14 to 0.4.25; each rule names its
source. What no source says, it does not do.
"""

from tests.lmstudio.server import LMStudio

__all__ = ["LMStudio"]
