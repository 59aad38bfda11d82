"""Systems that rows come from. A source writes into the paths that the lake hands it and decides nothing about
landings.
"""
