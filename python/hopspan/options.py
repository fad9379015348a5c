"""What an index can be built with."""

from typing import Literal, TypedDict


class Options(TypedDict, total=False):
    """What an index can be built with.

    For ``kind="hnsw"`` in the paper's names (Malkov & Yashunin, arXiv 1603.09320), and for ``kind="spann"`` (Chen et
    al., NeurIPS 2021).
    """

    M: int
    """Links of a node on the levels above 0, and half of those on level 0: 2 to 512, 16 unless given (Sec. 4.1)."""
    ef_construction: int
    """Width of the beam that looks for a new node's neighbours: M to 65536, 200 unless given (Sec. 4.1)."""
    extend_candidates: bool
    """Consider the neighbours of candidates too, for extremely clustered data (Alg. 4)."""
    keep_pruned_connections: bool
    """Fill the links that the heuristic leaves free with the nearest discarded candidates (Alg. 4)."""
    codes: Literal["auto", "none", "sq8", "sq4"]
    """What the graph is walked on: "sq8" or "sq4", 8 or 4 bits for each dimension, whose finds are ranked again by the
    vectors; "none", the vectors themselves, with 8-bit codes for the time of a bulk build; "auto" unless given: for
    floating-point vectors the codes that serve a sample of them best, perhaps of their principal dimensions only."""

    vectors: Literal["memory", "disk"]
    """Where the vectors lie: "memory" unless given, or "disk", where a search on codes reads those few that it ranks by
    them. On disk they are in a temporary file without a name, in the folder that TMPDIR names or /var/tmp, or in the
    file that the index was loaded from; the system keeps what fits of it in its page cache. Vectors that are walked
    themselves stay in memory: fewer than 1,000, and those that take a byte for each dimension where no codes are
    smaller. So do all on Windows."""
    profile: Literal["balanced", "fast", "compact"]
    """What the options that are not given shall serve: "balanced" unless given; "fast", a build in half the time
    (``ef_construction=80``); "compact", little memory (``vectors="disk"``)."""

    list_bytes: int
    """Bytes of a list at most: 256 to 1048576. Unless given 24576 in memory, and on disk as many pages of 4096 as 32
    vectors take."""
    replicas: int
    """Lists that a vector is in at most: 1 to 8. Unless given 2 in memory and 8 on disk."""
    closure: Literal["rng", "soar"]
    """Which further lists a vector joins: by the RNG rule of the paper, or unless given by SOAR (arXiv 2404.00774)."""
    closure_ratio: float
    """How many times as far as the nearest head a further one may be: 1 to 100, 1.2 unless given."""
    closure_heads: int
    """Nearest heads that are looked at for further lists: `replicas` to 1024, 8 unless given."""
    data_heads: bool
    """Heads are vectors of the data, as in the paper, in place of means."""
