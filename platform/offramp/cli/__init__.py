"""The command line, a file per group of commands. No work is done here: commands call orchestration, wiring and
pipeline, and print.
"""
