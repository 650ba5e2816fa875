"""How a scanner makes thick slices: the one forward model."""
