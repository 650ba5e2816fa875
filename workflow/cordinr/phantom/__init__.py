"""The embedded dataset: analytic spines, scanned into a raw BIDS dataset."""
