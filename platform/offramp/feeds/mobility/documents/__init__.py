"""What a customer of the mobility feed reads before the first file: the data model as a spreadsheet, and sample files.

Both are made of the contracts; what is published when, and under which prefix, is decided by the callers.
"""
