"""The mobility feed: lifestyle layers and driving offloads computed from raw phone fixes. How rows are stored and
delivered is in lake and pipeline.
"""
