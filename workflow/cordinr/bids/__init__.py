"""Names, sidecars and metadata of BIDS files, and what is read by them."""
