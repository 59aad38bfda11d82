"""Maps and charts beside the numbers of a day, where people would rather look than read, each a small PNG in Markdown.

Nothing here decides or changes anything; numbers and tables of metadata belong to ``describe``.
"""
