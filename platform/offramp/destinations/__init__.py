"""Where bytes go. A destination knows no format and no feed; it promises that a reader never sees part of a file."""
