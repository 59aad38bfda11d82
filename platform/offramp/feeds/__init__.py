"""One room per feed: what is exported, how it is named, when it is due. How rows are moved is in pipeline."""
