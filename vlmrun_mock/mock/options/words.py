"""The words that options may have as values: types for Python, and by `get_args` the table's words."""

from __future__ import annotations

from typing import Literal, TypeAlias

Unsupported: TypeAlias = Literal["ignore", "reject"]
UnknownDomain: TypeAlias = Literal["reject", "generate"]
Success: TypeAlias = Literal["201", "200"]
Locale: TypeAlias = Literal[
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "ja_JP", "pt_BR", "en_IN", "ar_EG", "cs_CZ", "el_GR",
    "fi_FI", "he_IL", "hi_IN", "ko_KR", "pl_PL", "ru_RU", "sv_SE", "th_TH", "tr_TR", "uk_UA", "vi_VN", "zh_CN",
]  # fmt: skip  # several a line
"""Where drawn values are from; each has a file in `schema/generate/locales`."""
Clock: TypeAlias = Literal["frozen", "wall"]
Ids: TypeAlias = Literal["stable", "random"]
Tools: TypeAlias = Literal["call", "ignore"]
Streams: TypeAlias = Literal["documented", "always"]
Latency: TypeAlias = Literal["scripted", "recorded"]
RecordMode: TypeAlias = Literal["once", "new", "all", "none"]
"""When a recorder asks the upstream, as in VCR."""
