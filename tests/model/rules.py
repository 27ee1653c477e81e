"""Limits of the protocol, and the rule that a mutant breaks."""

KEPT = 2          # manifests kept below the highest; a marker stands for as many generations
RETIRED = 64      # generations for which the index of a trimmed segment is kept, at least
TRIES = 8
WINDOW_MAX = 4    # the most creates that a writer has in progress
POSITIONS_KEPT = 6  # objects of a named position
FULL_EVERY = 4    # every poll of this number is a full load if polls do not cover all batches
LIES = ["empty", "tail", "hole", "stale", "first", "others", "frozen"]

MUTANT = None
MUTANTS = [
    "list-once", "reader-manifest-first", "rename-on-retry", "forget-seen", "delete-own",
    "merge-copies-trimmed", "trim-keeps-bytes", "cut-forgets-offset", "rewrite-forgets-batches",
    "trust-any-look", "lost-without-a-mark", "step-back-unproven", "replace-before-next",
    "ignore-marker", "delete-unmarked", "segment-first", "segment-alone", "discard-in-doubt",
    # Of rules that only numbered batches need. "drop-listed-batch" takes more than 5000 seeds.
    "acknowledge-early", "read-gap", "absorb-gap", "absent-is-absorbed", "listed-only",
    "forget-retired", "known-by-name", "waiting-stays", "confirmed-by-time", "decide-by-one-load",
    "drop-horizon", "drop-needed-index", "forget-partly-yielded",
    "keep-passed-writer", "miscount-yielded", "tail-by-name", "pending-last", "keep-newer",
    "poll-the-newest-only", "poll-batches-only", "verify-first-look", "verify-manifest-first",
    "gone-unnoticed", "repair-takes-stranded",
    # Of named positions.
    "first-unchecked", "predecessor-unchecked", "conflict-ignored", "collect-unordered", "trim-ignores-names",
    # Of copies.
    "copy-manifest-first", "copy-unordered",
]


def broken(*mutants):
    """Returns true if one of these rules is broken."""
    return MUTANT in mutants
