"""The bounds that the interface names."""

OBJECT_BYTES_MAX = 64 * 1024 * 1024
CHUNK_BYTES_MIN = 1024
COUNT_MAX = 10_000


def check_count(what: str, count: int) -> None:
    """Raises an error for a call with more than the interface allows."""
    if count > COUNT_MAX:
        raise IndexError(f"{count} {what} in one call, more than {COUNT_MAX}")
