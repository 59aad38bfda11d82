"""The table of all deliveries, their states and claims. It decides nothing: plan does."""
